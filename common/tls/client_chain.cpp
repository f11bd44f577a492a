#include "common/tls/client_chain.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <memory>

namespace device_streams {

namespace {

using Bytes = std::span<const std::byte>;
constexpr std::size_t header_size = 4;  // type and length of a handshake message

// Takes a length of so many bytes and what it counts from the front.
std::optional<Bytes> take_vector(Bytes& from, std::size_t length_size) {
    if (from.size() < length_size) return std::nullopt;
    std::size_t length = 0;
    for (const auto byte : from.first(length_size)) length = length << 8 | std::to_integer<std::size_t>(byte);
    from = from.subspan(length_size);
    if (from.size() < length) return std::nullopt;
    const auto taken = from.first(length);
    from = from.subspan(length);
    return taken;
}

bool is_too_large(const X509* certificate) {
    EVP_PKEY* const key = X509_get0_pubkey(certificate);
    if (key == nullptr) return false;  // nothing is ever computed with it
    if (EVP_PKEY_get_bits(key) > most_key_bits) return true;
    BIGNUM* exponent = nullptr;
    if (EVP_PKEY_is_a(key, "RSA") != 1 && EVP_PKEY_is_a(key, "RSA-PSS") != 1) return false;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1) return true;
    const std::unique_ptr<BIGNUM, decltype(&BN_free)> owner(exponent, BN_free);
    return BN_num_bits(exponent) > most_exponent_bits;
}

// In place of OpenSSL's own verification: who the chain belongs to is checked by the caller.
int admit_chain(X509_STORE_CTX* shown, void*) {
    const auto* chain = X509_STORE_CTX_get0_untrusted(shown);
    for (int i = 0; i < sk_X509_num(chain); ++i) {
        if (!is_too_large(sk_X509_value(chain, i))) continue;
        X509_STORE_CTX_set_error(shown, X509_V_ERR_APPLICATION_VERIFICATION);
        return 0;
    }
    return 1;
}

// OpenSSL calls it with each whole message before it reads the message, but takes no verdict. Emptied, the message is
// refused at the first length in it.
void look_at_message(int is_sent, int version, int type, const void* data, std::size_t size, SSL* connection, void*) {
    if (is_sent != 0 || type != SSL3_RT_HANDSHAKE || size <= header_size) return;
    const Bytes message(static_cast<const std::byte*>(data), size);
    if (message[0] != std::byte{SSL3_MT_CERTIFICATE}) return;
    SSL_set_msg_callback(connection, nullptr);  // it would be called for every record from now on
    const auto count = count_certificates(message, version == TLS1_3_VERSION);
    if (!count || *count <= most_certificates) return;
    SSL_set_verify_result(connection, X509_V_ERR_CERT_CHAIN_TOO_LONG);
    auto* const body = static_cast<unsigned char*>(const_cast<void*>(data)) + header_size;
    std::fill(body, body + size - header_size, static_cast<unsigned char>(0xff));
}

}  // namespace

std::optional<std::size_t> count_certificates(std::span<const std::byte> message, bool tls13) {
    if (message.size() < header_size) return std::nullopt;
    auto body = message.subspan(header_size);
    if (tls13 && !take_vector(body, 1)) return std::nullopt;
    auto list = take_vector(body, 3);
    if (!list || !body.empty()) return std::nullopt;
    std::size_t count = 0;
    for (; !list->empty(); ++count)
        if (!take_vector(*list, 3) || (tls13 && !take_vector(*list, 2))) return std::nullopt;
    return count;
}

void admit_client_chains(ssl_ctx_st* context) {
    SSL_CTX_set_cert_verify_callback(context, admit_chain, nullptr);
}

void request_client_chain(ssl_st* connection) {
    // Sessions of clients that were not asked are not resumed by those that are: they would never be.
    static constexpr unsigned char session_context[] = "device-streams-asked";
    SSL_set_session_id_context(connection, session_context, sizeof session_context - 1);
    SSL_set_verify(connection, SSL_VERIFY_PEER, nullptr);
    SSL_set_max_cert_list(connection, longest_chain);
    SSL_set_msg_callback(connection, look_at_message);
}

std::string chain_refusal(const ssl_st* connection) {
    switch (SSL_get_verify_result(connection)) {
        case X509_V_ERR_CERT_CHAIN_TOO_LONG:
            return "more than 5 certificates in the client's chain";
        case X509_V_ERR_APPLICATION_VERIFICATION:
            return "a key of more than 4096 bits, or an RSA exponent of more than 32, in the client's chain";
        default:
            return {};
    }
}

}  // namespace device_streams
