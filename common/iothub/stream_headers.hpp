#pragma once

#include <string_view>

/// What service and hub say about a stream in the headers of its POST and of the answer (docs/protocol.md 6).
namespace device_streams::iothub {

/// What our proxies say; hubs accept any.
inline constexpr std::string_view api_version = "2020-09-30";

/// Of the request: seconds, maybe with a fraction. How long the hub waits for a device that is offline, and for its
/// answer.
inline constexpr std::string_view connect_timeout_header = "iothub-streaming-connect-timeout-in-seconds";
inline constexpr std::string_view response_timeout_header = "iothub-streaming-response-timeout-in-seconds";

/// Of the answer: True or False, spelt so; and for True where and with what the service opens its leg.
inline constexpr std::string_view accepted_header = "iothub-streaming-is-accepted";
inline constexpr std::string_view url_header = "iothub-streaming-url";
inline constexpr std::string_view token_header = "iothub-streaming-auth-token";

}  // namespace device_streams::iothub
