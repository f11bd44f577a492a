#pragma once

#include <optional>
#include <string>
#include <string_view>

/// RFC 4648. Decoding is strict: no white space, exact padding, unused bits zero, so each value has one spelling.
namespace device_streams {

std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);

/// The URL-safe alphabet without padding, as in a JWT.
std::string base64url_encode(std::string_view bytes);
std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace device_streams
