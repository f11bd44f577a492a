#include "common/tls/certificate.hpp"

#include "common/base/utc.hpp"
#include "common/text/ascii.hpp"
#include "common/text/hex.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <string_view>

namespace device_streams {

namespace {

std::string digest_of(const X509* certificate, const EVP_MD* algorithm) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned int size = 0;
    X509_digest(certificate, algorithm, bytes.data(), &size);
    return upper_case(to_hex({bytes.data(), size}));
}

std::int64_t unix_seconds(const ASN1_TIME* time) {
    std::tm parts{};
    return ASN1_TIME_to_tm(time, &parts) == 1 ? from_utc(parts).time_since_epoch().count() : 0;
}

// Of two names, a CA may have meant the other one.
std::string common_name_of(const X509* certificate) {
    const auto* subject = X509_get_subject_name(certificate);
    const int place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (place < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, place) >= 0) return {};
    unsigned char* utf8 = nullptr;
    const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place)));
    if (size < 0) return {};
    std::string name(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
    OPENSSL_free(utf8);
    return name;
}

std::string der_of(const X509* certificate) {
    const int size = i2d_X509(certificate, nullptr);
    std::string der(static_cast<std::size_t>(size > 0 ? size : 0), '\0');
    auto* into = reinterpret_cast<unsigned char*>(der.data());
    if (size > 0) i2d_X509(certificate, &into);
    return der;
}

std::string sent_issuers(const SSL* connection) {
    std::string ders;
    const auto* chain = SSL_get_peer_cert_chain(connection);  // for servers without the client's own
    for (int i = 0; i < sk_X509_num(chain); ++i) ders += der_of(sk_X509_value(chain, i));
    return ders;
}

std::string resumed_issuers(const SSL* connection) {
    void* data = nullptr;
    std::size_t size = 0;
    if (SSL_SESSION_get0_ticket_appdata(SSL_get_session(connection), &data, &size) != 1 || data == nullptr) return {};
    return {static_cast<const char*>(data), size};
}

int put_issuers_into_ticket(SSL* connection, void*) {
    const auto issuers = sent_issuers(connection);
    if (issuers.empty()) return 1;
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(connection), issuers.data(), issuers.size());
}

}  // namespace

CertificateFacts facts_of(const x509_st* certificate) {
    return {digest_of(certificate, EVP_sha1()), digest_of(certificate, EVP_sha256()), common_name_of(certificate),
            unix_seconds(X509_get0_notBefore(certificate)), unix_seconds(X509_get0_notAfter(certificate))};
}

std::optional<ClientCertificate> client_certificate_of(const ssl_st* connection) {
    const auto* own = SSL_get0_peer_certificate(connection);
    if (own == nullptr) return std::nullopt;
    const bool resumed = SSL_session_reused(connection) == 1;
    return ClientCertificate{der_of(own), resumed ? resumed_issuers(connection) : sent_issuers(connection)};
}

void keep_issuers_in_tickets(ssl_ctx_st* context) {
    SSL_CTX_set_session_ticket_cb(context, put_issuers_into_ticket, nullptr, nullptr);
}

}  // namespace device_streams
