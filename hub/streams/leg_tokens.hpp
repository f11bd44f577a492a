#pragma once

#include "common/base/secret.hpp"
#include "common/iothub/stream_request.hpp"
#include "common/iothub/stream_token.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace device_streams::hub {

/// Where legs connect, as clients are told.
struct PublicAddress {
    std::string host;
    std::uint16_t port = 443;
    std::string path_prefix = {};  ///< in front of all paths; empty, or begins with / and does not end with one
};

/// What one side of a stream needs to open its leg.
struct LegGrant {
    std::string url;  ///< wss:// with an explicit port, as the C SDK needs it
    Secret token;
};

/// Makes the URLs and bearer tokens of legs, and checks them when they come back. A token is bound to hub, identity,
/// stream and role; that it is used once is the pairing's business. Pure.
class LegTokens {
 public:
    LegTokens(std::string hub_name, Secret signing_key);

    /// `expiry`: Unix seconds.
    LegGrant make(const PublicAddress& address, const iothub::Target& target, const std::string& stream_id,
                  iothub::StreamRole role, std::int64_t expiry) const;

    struct Checked {
        std::string stream_id;
        iothub::Target target;
        iothub::StreamRole role;
    };
    /// `authorization` is the header's value, "Bearer {token}". nullopt: the token is missing, malformed, not ours,
    /// expired or for another path.
    std::optional<Checked> check(std::string_view path, std::string_view authorization, std::int64_t now) const;

 private:
    std::string hub_name_;
    Secret signing_key_;
};

/// A key to sign with, for as long as this process lives.
Secret random_signing_key();

}  // namespace device_streams::hub
