#pragma once

#include "common/base/clock.hpp"
#include "common/http/message.hpp"
#include "common/iothub/errors.hpp"
#include "common/iothub/stream_request.hpp"

#include <stdexcept>
#include <string>
#include <string_view>

namespace device_streams::hub {

/// Thrown where a request to the REST interface ends before it has changed anything.
struct RequestRefused : std::runtime_error {
    RequestRefused(iothub::RestError code, const std::string& text) : std::runtime_error(text), error(code) {}
    iothub::RestError error;
};

/// There is no such device, or module.
RequestRefused no_such(const iothub::Target& target);

/// The answer for an error of the REST interface: JSON body and the header iothub-errorcode, as Azure's clients read
/// it.
http::Response error_answer(iothub::RestError error, std::string_view text, Clock::wall_time now);
/// The same for the identity registry, whose body has another shape.
http::Response registry_error_answer(iothub::RestError error, std::string_view text, Clock::wall_time now);
/// The same for what has no six-digit code (404 for an unknown path, 405, 431 ...).
http::Response plain_error_answer(int status, std::string_view text);

}  // namespace device_streams::hub
