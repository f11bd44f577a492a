#include "common/tls/aead.hpp"

#include <openssl/crypto.h>

#include <cassert>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

namespace device_streams {

namespace {

const AeadBackend& backend_for(AeadSuite suite) {
    return suite == AeadSuite::chacha20_poly1305 ? evp_backend() : aead_backend();
}

}  // namespace

const AeadBackend& aead_backend() {
    static const AeadBackend& chosen = []() -> const AeadBackend& {
        const char* forced = std::getenv("DEVICE_STREAMS_RECORD_PLANE_BACKEND");
        if (forced != nullptr && std::string_view(forced) == "evp") return evp_backend();
        const auto* accelerated = ipsec_mb_backend();
        return accelerated != nullptr ? *accelerated : evp_backend();
    }();
    return chosen;
}

AeadBatch::AeadBatch(AeadSuite suite, std::span<const std::byte> key, AeadDirection direction)
    : AeadBatch(backend_for(suite), suite, key, direction) {
}

AeadBatch::AeadBatch(const AeadBackend& backend, AeadSuite suite, std::span<const std::byte> key,
                     AeadDirection direction)
    : backend_(backend) {
    assert(key.size() == key_size(suite));
    backend_.expand(suite, key, direction);
}

void AeadBatch::seal(const AeadNonce& nonce, std::span<const std::byte> header, std::span<const std::byte> plain,
                     std::byte last, std::byte* out) {
    if (backend_.seal(nonce, header, plain, last, out)) return;
    OPENSSL_cleanse(out, plain.size() + 1 + aead_tag_size);
    throw std::runtime_error("a record could not be encrypted");
}

bool AeadBatch::open(const AeadNonce& nonce, std::span<const std::byte> header, std::span<const std::byte> sealed,
                     std::byte* out, std::byte& last) {
    if (backend_.open(nonce, header, sealed, out, last)) return true;
    OPENSSL_cleanse(out, sealed.size() - aead_tag_size - 1);
    last = {};
    return false;
}

}  // namespace device_streams
