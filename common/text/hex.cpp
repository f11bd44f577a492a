#include "common/text/hex.hpp"

namespace device_streams {

std::string to_hex(std::span<const unsigned char> bytes) {
    std::string text;
    text.reserve(2 * bytes.size());
    for (const unsigned char byte : bytes) {
        text += hex_digit(byte >> 4U);
        text += hex_digit(byte & 15U);
    }
    return text;
}

}  // namespace device_streams
