#pragma once

#include "common/text/ascii.hpp"

#include <span>
#include <string>

namespace device_streams {

constexpr bool is_lower_hex_digit(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f');
}
constexpr bool is_hex_digit(char c) {
    return is_lower_hex_digit(to_lower(c));
}

/// The lower-case digit of `value`, which is 0 to 15.
constexpr char hex_digit(unsigned value) {
    return static_cast<char>(value < 10 ? '0' + value : 'a' + value - 10);
}
/// Of a hexadecimal digit in either case.
constexpr unsigned hex_value(char digit) {
    return static_cast<unsigned>(is_digit(digit) ? digit - '0' : to_lower(digit) - 'a' + 10);
}

/// Two lower-case digits for each byte.
std::string to_hex(std::span<const unsigned char> bytes);

}  // namespace device_streams
