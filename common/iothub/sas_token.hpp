#pragma once

#include "common/base/secret.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace device_streams::iothub {

/// A shared access signature taken apart: `SharedAccessSignature sr=..&sig=..&se=..[&skn=..]`. The signature is
/// HMAC-SHA256 over the literal sr, a line feed and se.
struct SasToken {
    std::string resource;     ///< sr, literally as it stood in the token: the signature covers this text
    std::string signature;    ///< sig, percent-decoded base64 of 32 bytes
    std::int64_t expiry = 0;  ///< se, Unix seconds
    std::string policy;       ///< skn, decoded; empty for a device's own key

    /// True when `key` (base64) made the signature. Constant time. False for a key that is empty or not base64.
    bool signed_by(const Secret& key) const;
    /// True when the scope is `target` ("host/devices/id", decoded) or a whole-segment prefix of it, with the scope
    /// decoded 0, 1 or 2 times (SDKs differ); the host part compares without regard to case.
    bool covers(std::string_view target) const;
    /// At and after expiry + allowed_skew.
    bool expired(std::int64_t now_unix_seconds, std::int64_t allowed_skew = 300) const;
};

/// Fields in any order; nullopt for anything malformed, repeated or missing. Unknown fields are ignored.
std::optional<SasToken> parse_sas_token(std::string_view text);

/// Makes "SharedAccessSignature sr=..&sig=..&se=..[&skn=..]" for a decoded resource, which is percent-encoded with
/// upper-case hex; ids inside must be encoded beforehand (device_resource does). Throws Failure(credential_malformed)
/// when the key is empty or not base64.
Secret make_sas_token(std::string_view resource, const Secret& key, std::int64_t expiry, std::string_view policy = {});

/// "{host}/devices/{id}[/modules/{m}]" with ids percent-encoded once; host alone for services (an empty device id).
std::string device_resource(std::string_view host, std::string_view device_id, std::string_view module_id = {});

}  // namespace device_streams::iothub
