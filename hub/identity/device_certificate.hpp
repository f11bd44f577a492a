#pragma once

#include "common/tls/certificate.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct x509_store_st;

namespace device_streams::hub {

/// A certificate that a device has shown, as far as its login depends on it. That the device holds the key is proved.
struct DeviceCertificate {
    CertificateFacts own;
    std::string authority;         ///< SHA-256 of the trusted CA that its chain leads to; empty: it leads to none
    std::string why_no_authority;  ///< one clause
    std::int64_t chain_ends = 0;   ///< Unix seconds when the first certificate of that chain expires
    std::string weakness{};        ///< why it proves too little, as MD5, SHA-1 and RSA-1024 do; empty: it does not
};

/// The CAs that the hub trusts with its devices. Immutable; any thread.
class DeviceAuthorities {
 public:
    DeviceAuthorities();  ///< none
    /// A PEM bundle of roots or of intermediates, each of which is trusted as it is. Throws
    /// Failure(certificate_unusable or file_unreadable).
    explicit DeviceAuthorities(const std::string& pem_file);

    /// Reads a certificate, and looks for its CA as of `now` (Unix seconds). nullopt: it is malformed.
    std::optional<DeviceCertificate> examine(const ClientCertificate& shown, std::int64_t now) const;
    /// Their SHA-256.
    const std::vector<std::string>& ids() const { return ids_; }

 private:
    std::shared_ptr<x509_store_st> store_;
    std::vector<std::string> ids_;
};

}  // namespace device_streams::hub
