#include "common/text/base64.hpp"

#include <cstdint>

namespace device_streams {

namespace {
constexpr std::string_view standard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode_unpadded(std::string_view bytes, std::string_view alphabet) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    std::uint32_t window = 0;
    unsigned bits = 0;
    for (const char c : bytes) {
        window = (window << 8U) | static_cast<unsigned char>(c);
        for (bits += 8; bits >= 6; bits -= 6) text += alphabet[(window >> (bits - 6)) & 0x3FU];
    }
    if (bits > 0) text += alphabet[(window << (6 - bits)) & 0x3FU];
    return text;
}

std::optional<std::string> decode_unpadded(std::string_view text, std::string_view alphabet) {
    if (text.size() % 4 == 1) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3 + 2);
    std::uint32_t window = 0;
    unsigned bits = 0;
    for (const char c : text) {
        const auto value = alphabet.find(c);
        if (value == std::string_view::npos) return std::nullopt;
        window = (window << 6U) | static_cast<std::uint32_t>(value);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        bytes += static_cast<char>((window >> bits) & 0xFFU);
    }
    const bool unused_bits_set = (window & ((1U << bits) - 1U)) != 0;
    return unused_bits_set ? std::nullopt : std::optional(std::move(bytes));
}
}  // namespace

std::string base64_encode(std::string_view bytes) {
    auto text = encode_unpadded(bytes, standard);
    text.append((4 - text.size() % 4) % 4, '=');
    return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
    return decode_unpadded(text, standard);
}

std::string base64url_encode(std::string_view bytes) {
    return encode_unpadded(bytes, url_safe);
}

std::optional<std::string> base64url_decode(std::string_view text) {
    return decode_unpadded(text, url_safe);
}

}  // namespace device_streams
