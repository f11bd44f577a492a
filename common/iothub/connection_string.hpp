#pragma once

#include "common/base/secret.hpp"

#include <string>
#include <string_view>

namespace device_streams::iothub {

/// protocol.md 2.4: what a device, module or service needs to log in.
struct ConnectionString {
    std::string host_name;
    std::string device_id;           ///< devices and modules
    std::string module_id;           ///< modules
    std::string policy;              ///< SharedAccessKeyName
    Secret key;                      ///< SharedAccessKey, base64
    Secret token;                    ///< SharedAccessSignature, ready-made
    std::string gateway_host_name;   ///< where to connect instead of host_name; empty: host_name
    bool x509 = false;               ///< x509=true or X509Cert=true
};

/// Throws Failure(credential_malformed) that names the field; the text never repeats a key. Field names compare without
/// regard to case; a repeated or unknown-but-harmless field is an error only when repeated.
ConnectionString parse_connection_string(std::string_view text);

/// 1..128 characters of the set in protocol.md 2.1.
bool is_valid_identity_id(std::string_view id);

}  // namespace device_streams::iothub
