#include "common/base/hmac.hpp"

#include "common/base/error.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace device_streams {

std::string hmac_sha256(const Secret& key, std::string_view message) {
    if (key.empty()) throw Failure(Errc::internal, "a signature was asked for without a key");
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    const auto* const bytes = reinterpret_cast<const unsigned char*>(message.data());
    const auto* const result = HMAC(EVP_sha256(), key.reveal().data(), static_cast<int>(key.reveal().size()), bytes,
                                    message.size(), digest.data(), &size);
    if (result == nullptr) throw Failure(Errc::internal, "OpenSSL could not compute HMAC-SHA256");
    return {reinterpret_cast<const char*>(digest.data()), size};
}

bool equal_in_constant_time(std::string_view left, std::string_view right) {
    return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace device_streams
