#pragma once

#include "common/text/ascii.hpp"

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>

namespace device_streams {

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

}  // namespace device_streams
