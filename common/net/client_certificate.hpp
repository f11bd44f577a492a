#pragma once

#include <string>

namespace device_streams {

/// What a TLS client has shown of itself, in the handshake or in the one that was resumed. It has proved that it holds
/// the key; whatever else matters is the caller's to check.
struct ClientCertificate {
    std::string der;      ///< its own certificate
    std::string issuers;  ///< the others that it sent, DER after DER; may be empty
};

}  // namespace device_streams
