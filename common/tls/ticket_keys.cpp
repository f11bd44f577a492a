#include "common/tls/ticket_keys.hpp"

#include "common/base/error.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <string>

namespace device_streams {

namespace {

void wipe(std::optional<TicketKeys::Key>& key) {
    if (key) OPENSSL_cleanse(&*key, sizeof *key);
    key.reset();
}

int keys_index() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

bool set_mac_key(EVP_MAC_CTX* mac, TicketKeys::Key& key) {
    std::string digest = "SHA256";
    const std::array<OSSL_PARAM, 3> parameters{
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0), OSSL_PARAM_construct_end()};
    return EVP_MAC_CTX_set_params(mac, parameters.data()) == 1;
}

// As SSL_CTX_set_tlsext_ticket_key_evp_cb(3) has it: 0 is another key, 2 asks for a new ticket, -1 is a failure.
int use_key(SSL* connection, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
            int makes_ticket) try {
    auto& keys = *static_cast<TicketKeys*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), keys_index()));
    const auto now = std::chrono::steady_clock::now();
    if (makes_ticket != 0) {
        auto current = keys.current(now);
        std::ranges::copy(current.name, name);
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
        const bool ready = EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, current.cipher.data(), iv) == 1;
        return ready && set_mac_key(mac, current) ? 1 : -1;
    }
    TicketKeys::Name wanted;
    std::copy_n(name, wanted.size(), wanted.begin());
    auto known = keys.find(wanted, now);
    if (!known) return 0;
    const bool ready = EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, known->cipher.data(), iv) == 1;
    if (!ready || !set_mac_key(mac, *known)) return -1;
    return 2;  // in TLS 1.3 a client uses each ticket once
} catch (const Failure&) {
    return -1;  // no exception passes through OpenSSL
}

}  // namespace

TicketKeys::~TicketKeys() {
    wipe(current_);
    wipe(previous_);
}

void TicketKeys::renew(Time now) {
    if (current_ && now - since_ < life) return;
    wipe(previous_);
    previous_ = current_;
    previous_until_ = since_ + 2 * life;
    Key fresh{};
    if (RAND_priv_bytes(reinterpret_cast<unsigned char*>(&fresh), sizeof fresh) != 1)
        throw Failure(Errc::internal, "the system gives no random bytes");
    current_ = fresh;
    OPENSSL_cleanse(&fresh, sizeof fresh);
    since_ = now;
}

TicketKeys::Key TicketKeys::current(Time now) {
    const std::lock_guard lock(mutex_);
    renew(now);
    return *current_;
}

std::optional<TicketKeys::Key> TicketKeys::find(const Name& name, Time now) {
    const std::lock_guard lock(mutex_);
    renew(now);
    if (current_->name == name) return current_;
    if (previous_ && previous_->name == name && now < previous_until_) return previous_;
    return std::nullopt;
}

void TicketKeys::serve(ssl_ctx_st* context) {
    SSL_CTX_set_ex_data(context, keys_index(), this);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, use_key);
}

}  // namespace device_streams
