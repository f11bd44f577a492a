#include "common/base/random.hpp"

#include "common/base/error.hpp"

#include <openssl/rand.h>

#include <string_view>
#include <vector>

namespace device_streams {

void fill_randomly(std::span<unsigned char> bytes) {
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
        throw Failure(Errc::internal, "the system's random source failed");
}

std::string random_hex(std::size_t bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::vector<unsigned char> random(bytes);
    fill_randomly(random);
    std::string text;
    text.reserve(2 * bytes);
    for (const unsigned char byte : random) {
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

std::string random_hex_id() {
    return random_hex(16);
}

}  // namespace device_streams
