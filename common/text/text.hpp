#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>
#include <vector>

/// Small ASCII tools of the parsers in this folder; no locale, no allocation but the list that split returns.
namespace device_streams::iothub::text {

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool is_alphanumeric(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_hex_digit(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
/// No spaces, control characters or bytes above 126: what may stand in an HTTP request line or header value.
constexpr bool is_visible(char c) {
    return c > ' ' && c < '\x7f';
}
constexpr char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_ignoring_case(std::string_view left, std::string_view right);

/// True when every character is a letter, a digit or one of `others`; true for empty text.
bool consists_of_alphanumerics_and(std::string_view text, std::string_view others);

/// All parts between separators, empty ones included; no parts at all when there would be more than `most`.
std::vector<std::string_view> split(std::string_view text, char separator, std::size_t most = std::string_view::npos);

struct Pair {
    std::string_view name;
    std::string_view value;
};
/// Divides at the first `=`; nullopt without one.
std::optional<Pair> split_pair(std::string_view text);

/// Decimal digits only, without sign; nullopt for anything else and for numbers that do not fit.
template <std::integral Number>
std::optional<Number> parse_decimal(std::string_view text) {
    Number number = 0;
    const char* const last = text.data() + text.size();
    if (text.empty() || !is_digit(text.front())) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), last, number);
    if (error != std::errc{} || end != last) return std::nullopt;
    return number;
}

}  // namespace device_streams::iothub::text
