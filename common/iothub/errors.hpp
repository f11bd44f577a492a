#pragma once

#include "common/base/clock.hpp"

#include <string>
#include <string_view>

namespace device_streams::iothub {

/// The errors of the REST interface, by their six-digit codes.
enum class RestError {
    argument_invalid = 400004,
    unauthorized = 401002,
    forbidden = 403000,  ///< our own: the policy does not allow it
    quota_exceeded = 403002,
    not_found = 404000,  ///< an unknown path
    device_not_found = 404001,
    module_not_found = 404010,
    device_not_online = 404103,
    device_already_exists = 409001,
    module_already_exists = 409301,
    precondition_failed = 412001,
    throttled = 429001,
    server_error = 500001,
    not_implemented = 501000,  ///< our own: Azure's hub does it, and this one does not
    gateway_timeout = 504101,
};

struct RestErrorInfo {
    RestError code;
    int status;             ///< of HTTP
    std::string_view name;  ///< for the header iothub-errorcode, e.g. DeviceNotOnline
};
const RestErrorInfo& describe(RestError code);

/// The JSON body of an error answer: an object with the strings Message (itself JSON) and ExceptionMessage.
/// `tracking_id` is 32 hex digits.
std::string error_body(RestError code, std::string_view text, std::string_view tracking_id, Clock::wall_time now);

/// The body of the identity registry's errors, whose published shape is older: Message is "ErrorCode:{name};{text}".
/// Its readers take the text up to the next semicolon.
std::string registry_error_body(RestError code, std::string_view text, std::string_view tracking_id,
                                Clock::wall_time now);

/// What a service can read out of an error answer: the six-digit code (from the nested JSON, the header's name or the
/// older "ErrorCode:Name;text" shape) and the text. Anything is taken: a body that is not JSON is the text, shortened.
struct ParsedRestError {
    int code = 0;  ///< 0: unknown
    std::string message;
};
ParsedRestError parse_error(std::string_view body, std::string_view errorcode_header);

}  // namespace device_streams::iothub
