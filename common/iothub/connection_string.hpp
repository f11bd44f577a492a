#pragma once

#include "common/base/secret.hpp"

#include <string>
#include <string_view>

namespace device_streams::iothub {

/// What a device, module or service needs to log in: `HostName=..;DeviceId=..;SharedAccessKey=..` and its relatives.
struct ConnectionString {
    std::string host_name;
    std::string device_id;          ///< devices and modules
    std::string module_id;          ///< modules
    std::string policy;             ///< SharedAccessKeyName
    Secret key;                     ///< SharedAccessKey, base64
    Secret token;                   ///< SharedAccessSignature, ready-made
    std::string gateway_host_name;  ///< where to connect instead of host_name; empty: host_name
    bool x509 = false;              ///< x509=true or X509Cert=true
};

/// Throws Failure(credential_malformed) that names the field; the text never repeats a value. Field names compare
/// without regard to case; unknown fields are ignored, repeated ones refused. White space around the whole text does
/// not count.
///
/// Accepted are a device (DeviceId, perhaps ModuleId) with exactly one of SharedAccessKey, SharedAccessSignature and
/// x509=true, and a service (no DeviceId) with SharedAccessKeyName and SharedAccessKey, or with SharedAccessSignature.
ConnectionString parse_connection_string(std::string_view text);

/// 1..128 characters of A-Z a-z 0-9 - : . + % _ # * ? ! ( ) , = @ ; $ ' (device and module ids).
bool is_valid_identity_id(std::string_view id);
/// 1..64 characters of A-Z a-z 0-9 - _ . (shared access policies).
bool is_valid_policy_name(std::string_view name);

}  // namespace device_streams::iothub
