#pragma once

#include "common/base/clock.hpp"
#include "common/base/log.hpp"
#include "common/tls/tls_context.hpp"

#include <memory>
#include <string>

namespace device_streams::device {

/// The certificate that the device logs in with, as it is on disk; to renew it, its files are replaced. Not for
/// several threads.
class OwnCertificate {
 public:
    struct Files {
        std::string certificate;          ///< PEM chain
        std::string key;                  ///< PEM
        std::string key_passphrase_file;  ///< one line; empty: the key is not encrypted
        std::string hub_ca;               ///< as for TlsContext::client
        RecordPlaneMode record_plane = RecordPlaneMode::automatic;
    };
    /// Reads the files. Throws Failure(certificate_unusable or file_unreadable).
    explicit OwnCertificate(Files files);

    /// For the next connection: with the files as they are now, which a line in the log tells when they have changed.
    /// When they cannot be used the certificate from before goes on, with a warning.
    std::shared_ptr<const TlsContext> for_next_connection(const Clock& clock, const Log& log);
    /// Of the dates, by this machine's clock. For a connection that is up: without one a wrong clock shows by the hub's
    /// certificate.
    void warn_if_not_valid(const Clock& clock, const Log& log) const;
    CertificateFacts facts() const { return *context_->own_certificate(); }

 private:
    Secret read() const;
    std::shared_ptr<const TlsContext> load() const;

    Files files_;
    Secret seen_;
    std::shared_ptr<const TlsContext> context_;
};

}  // namespace device_streams::device
