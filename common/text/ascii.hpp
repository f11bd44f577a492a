#pragma once

#include <string>
#include <string_view>

/// Classes and cases of ASCII characters, whatever the locale; other bytes are in no class and have no case.
namespace device_streams {

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool is_alphanumeric(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
/// No spaces, control characters or bytes above 126: what may stand in an HTTP request line or header value.
constexpr bool is_visible(char c) {
    return c > ' ' && c < '\x7f';
}
/// 0 to 31, and 127.
constexpr bool is_control_character(char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
}
constexpr char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
constexpr char to_upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

std::string lower_case(std::string_view text);
std::string upper_case(std::string_view text);
bool equal_ignoring_case(std::string_view left, std::string_view right);

/// True when every character is a letter, a digit or one of `others`; true for empty text.
bool consists_of_alphanumerics_and(std::string_view text, std::string_view others);

}  // namespace device_streams
