#include "common/text/percent.hpp"

#include "common/text/text.hpp"

namespace device_streams::iothub {

namespace {
constexpr std::string_view hex_digits = "0123456789ABCDEF";
constexpr std::string_view safe_marks = "-._";

constexpr unsigned hex_value(char c) {
    if (text::is_digit(c)) return static_cast<unsigned>(c - '0');
    return static_cast<unsigned>(text::to_lower(c) - 'a' + 10);
}
}  // namespace

std::string percent_encode(std::string_view text, std::string_view also_safe) {
    std::string encoded;
    encoded.reserve(text.size());
    for (const char c : text) {
        const auto in = [c](std::string_view set) { return set.find(c) != std::string_view::npos; };
        if (text::is_alphanumeric(c) || in(safe_marks) || in(also_safe)) {
            encoded += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            encoded += {'%', hex_digits[byte >> 4U], hex_digits[byte & 0x0FU]};
        }
    }
    return encoded;
}

std::optional<std::string> percent_decode(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded += text[i];
            continue;
        }
        if (text.size() - i < 3 || !text::is_hex_digit(text[i + 1]) || !text::is_hex_digit(text[i + 2]))
            return std::nullopt;
        decoded += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
        i += 2;
    }
    return decoded;
}

}  // namespace device_streams::iothub
