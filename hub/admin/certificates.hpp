#pragma once

#include "common/base/clock.hpp"
#include "common/base/secret.hpp"

#include <string>
#include <vector>

/// A private certificate authority, for hubs whose name no public one vouches for.
namespace device_streams::hub {

/// A certificate and its key, both PEM (the key PKCS #8, not encrypted).
struct CertifiedKey {
    std::string certificate;
    Secret key;
};

/// A self-signed CA (ECDSA P-256) that may issue server certificates only; valid for ten years from a day before `now`,
/// as clocks of devices are often slow. `name` becomes the common name: 1..64 characters. Throws
/// Failure(certificate_unusable).
CertifiedKey make_authority(const std::string& name, Clock::wall_time now);

/// A TLS server certificate (ECDSA P-256) for host names and IP addresses (without brackets), the first of which is
/// also its common name; valid for 825 days, the most that common clients accept, from a day before `now`. Throws
/// Failure(usage) when a name is neither, Failure(certificate_unusable) when the authority cannot be used.
CertifiedKey issue_server_certificate(const CertifiedKey& authority, const std::vector<std::string>& names,
                                      Clock::wall_time now);

}  // namespace device_streams::hub
