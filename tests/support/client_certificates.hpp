#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace device_streams::test {

/// A certificate and its key (ECDSA P-256), PEM and DER.
struct MadeCertificate {
    std::string certificate;
    std::string key;
    std::string der;
};
struct CertificateWish {
    std::vector<std::string> common_names{};
    bool authority = false;
    const MadeCertificate* issuer = nullptr;  ///< nullptr: it signs itself
    std::int64_t not_before = 0;              ///< Unix seconds
    std::int64_t not_after = 4'000'000'000;
    std::string extended_key_usage{};
    std::string alternative_names{};  ///< as in OpenSSL's configurations
    int rsa_bits = 0;                 ///< 0: ECDSA P-256. Beyond 4096 the key is invented: it signs nothing
    unsigned rsa_exponent = 65'537;   ///< 0: one of 33 bits
    std::string hash = "SHA256";
};
MadeCertificate make_certificate(const CertificateWish& wish);
/// The key again, encrypted with a passphrase.
std::string encrypted_key(const MadeCertificate& made, const std::string& passphrase);

}  // namespace device_streams::test
