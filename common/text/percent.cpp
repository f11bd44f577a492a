#include "common/text/percent.hpp"

#include "common/text/ascii.hpp"
#include "common/text/hex.hpp"

namespace device_streams {

namespace {
constexpr std::string_view safe_marks = "-._";
}  // namespace

std::string percent_encode(std::string_view text, std::string_view also_safe) {
    std::string encoded;
    encoded.reserve(text.size());
    for (const char c : text) {
        const auto in = [c](std::string_view set) { return set.find(c) != std::string_view::npos; };
        if (is_alphanumeric(c) || in(safe_marks) || in(also_safe)) {
            encoded += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            encoded += {'%', to_upper(hex_digit(byte >> 4U)), to_upper(hex_digit(byte & 0x0FU))};
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
        if (text.size() - i < 3 || !is_hex_digit(text[i + 1]) || !is_hex_digit(text[i + 2])) return std::nullopt;
        decoded += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
        i += 2;
    }
    return decoded;
}

}  // namespace device_streams
