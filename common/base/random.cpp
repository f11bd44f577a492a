#include "common/base/random.hpp"

#include "common/base/error.hpp"
#include "common/text/hex.hpp"

#include <openssl/rand.h>

#include <vector>

namespace device_streams {

void fill_randomly(std::span<unsigned char> bytes) {
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
        throw Failure(Errc::internal, "the system's random source failed");
}

std::string random_hex(std::size_t bytes) {
    std::vector<unsigned char> random(bytes);
    fill_randomly(random);
    return to_hex(random);
}

std::string random_hex_id() {
    return random_hex(16);
}

}  // namespace device_streams
