#include "hub/registry.hpp"

#include "common/base/error.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>

namespace device_streams::hub {

namespace {

Secret make_key() {
    std::array<unsigned char, 32> bytes{};
    std::array<unsigned char, 48> text{};
    if (RAND_priv_bytes(bytes.data(), bytes.size()) != 1)
        throw Failure(Errc::internal, "the system gives no random bytes");
    const int size = EVP_EncodeBlock(text.data(), bytes.data(), bytes.size());
    Secret key(std::string(reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(size)));
    OPENSSL_cleanse(bytes.data(), bytes.size());
    OPENSSL_cleanse(text.data(), text.size());
    return key;
}

}  // namespace

KeyPair make_key_pair() {
    return {make_key(), make_key()};
}

}  // namespace device_streams::hub
