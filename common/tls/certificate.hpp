#pragma once

#include "common/net/client_certificate.hpp"

#include <cstdint>
#include <optional>
#include <string>

struct ssl_ctx_st;
struct ssl_st;
struct x509_st;

namespace device_streams {

/// What a certificate says of its holder.
struct CertificateFacts {
    std::string sha1;             ///< of its DER: 40 digits of upper-case hex
    std::string sha256;           ///< 64
    std::string common_name;      ///< of its subject, UTF-8; empty: none, or more than one
    std::int64_t not_before = 0;  ///< Unix seconds
    std::int64_t not_after = 0;   ///< the same
};
CertificateFacts facts_of(const x509_st* certificate);

/// Of a server's connection; nullopt: the client has shown none.
std::optional<ClientCertificate> client_certificate_of(const ssl_st* connection);
/// OpenSSL keeps only a client's own certificate for a resumed session; this puts the others into the tickets.
void keep_issuers_in_tickets(ssl_ctx_st* context);

}  // namespace device_streams
