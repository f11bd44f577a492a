#include "common/tls/aead.hpp"

#include <openssl/evp.h>

#include <memory>
#include <new>

namespace device_streams {

namespace {

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* raw(std::span<const std::byte> bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* raw(std::byte* bytes) {
    return reinterpret_cast<unsigned char*>(bytes);
}

// Looked up once: OpenSSL would do it for each key.
const EVP_CIPHER* cipher_of(AeadSuite suite) {
    static const EVP_CIPHER* const ciphers[] = {EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr),
                                                EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr),
                                                EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr)};
    return ciphers[static_cast<std::size_t>(suite)];
}

EVP_CIPHER_CTX* context() {
    thread_local const Context of_thread(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    if (!of_thread) throw std::bad_alloc();
    return of_thread.get();
}

// A null pointer in place of the output would make text of it that is only authenticated.
bool update(std::byte* out, std::span<const std::byte> in) {
    int size = 0;
    return in.empty() || EVP_CipherUpdate(context(), raw(out), &size, raw(in), static_cast<int>(in.size())) == 1;
}

bool start(const AeadNonce& nonce, std::span<const std::byte> header) {
    int size = 0;
    return EVP_CipherInit_ex(context(), nullptr, nullptr, nullptr, raw(nonce), -1) == 1 &&
           EVP_CipherUpdate(context(), nullptr, &size, raw(header), static_cast<int>(header.size())) == 1;
}

bool finish() {
    int size = 0;
    unsigned char nothing[16];
    return EVP_CipherFinal_ex(context(), nothing, &size) == 1;
}

class Evp final : public AeadBackend {
 public:
    std::string name() const override { return "evp"; }

    void expand(AeadSuite suite, std::span<const std::byte> key, AeadDirection direction) const override {
        const int encrypts = direction == AeadDirection::seal ? 1 : 0;
        if (EVP_CipherInit_ex(context(), cipher_of(suite), nullptr, raw(key), nullptr, encrypts) != 1)
            throw std::bad_alloc();
    }

    bool seal(const AeadNonce& nonce, std::span<const std::byte> header, std::span<const std::byte> plain,
              std::byte last, std::byte* out) const override {
        return start(nonce, header) && update(out, plain) && update(out + plain.size(), {&last, 1}) && finish() &&
               EVP_CIPHER_CTX_ctrl(context(), EVP_CTRL_AEAD_GET_TAG, aead_tag_size, out + plain.size() + 1) == 1;
    }

    bool open(const AeadNonce& nonce, std::span<const std::byte> header, std::span<const std::byte> sealed,
              std::byte* out, std::byte& last) const override {
        const auto text = sealed.first(sealed.size() - aead_tag_size);
        auto* const tag = const_cast<std::byte*>(text.data() + text.size());  // it is only read
        return start(nonce, header) && update(out, text.first(text.size() - 1)) && update(&last, text.last(1)) &&
               EVP_CIPHER_CTX_ctrl(context(), EVP_CTRL_AEAD_SET_TAG, aead_tag_size, tag) == 1 && finish();
    }

    void wipe() const noexcept override { EVP_CIPHER_CTX_reset(context()); }
};

}  // namespace

const AeadBackend& evp_backend() {
    static const Evp evp;
    return evp;
}

}  // namespace device_streams
