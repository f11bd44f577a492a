#pragma once

#include "common/base/error.hpp"
#include "common/base/secret.hpp"
#include "common/http/message.hpp"
#include "common/iothub/stream_request.hpp"
#include "common/service_client/service_access.hpp"
#include "common/tunnel/features.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <variant>

/// The REST call that starts a stream, without its I/O.
namespace device_streams::service {

/// POST /twins/{device}[/modules/{module}]/streams/{stream name} with both time limits and our features announced.
/// `offer_leg`: the connection may become the leg at once; for hubs of ours only.
http::Request make_stream_call(const iothub::ServicePath& what, const std::string& host, const Secret& token,
                               const OpenLimits& limits, bool offer_leg);

/// What the hub granted.
struct Granted {
    bool leg_is_here = false;  ///< the connection has become the leg; else there are url and token
    iothub::StreamUrl url;
    Secret token;              ///< single use, good for about 60 s
    bool hub_is_ours = false;  ///< the answer names features, as only our hub's does
    Features features;         ///< common to the hub and us
};

/// Success only for status 200 or 202 with is-accepted `True` in any case, a URL and a token, or for 101 with the
/// upgrade that was offered. Everything else becomes a Failure whose detail has the status, the hub's six-digit code
/// and its text. `device` is named in the detail.
std::variant<Granted, Failure> interpret_answer(const http::Response& answer, const std::string& device);

/// What the header Retry-After asks for; nullopt: there is none, or it is no number of seconds.
std::optional<std::chrono::seconds> retry_after(const http::Response& answer);

/// The status and what the hub said, on one line and without anything that looks like a credential.
std::string describe_answer(const http::Response& answer);

}  // namespace device_streams::service
