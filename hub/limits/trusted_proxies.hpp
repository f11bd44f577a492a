#pragma once

#include "common/base/ip_network.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace device_streams::hub {

/// One entry of the setting trusted_proxies: a block of addresses, or all Unix sockets.
class TrustedProxy {
 public:
    /// `unix`, or what IpNetwork::parse takes. nullopt for anything else.
    static std::optional<TrustedProxy> parse(std::string_view text);
    /// Of nobody.
    TrustedProxy() = default;

    /// `peer`: as describe() of common/net names it.
    bool covers(std::string_view peer) const;
    std::string to_string() const;
    bool operator==(const TrustedProxy&) const = default;

 private:
    bool unix_sockets_ = false;
    std::optional<IpNetwork> network_;
};

/// The front ends whose word counts about whom they speak for.
using TrustedProxies = std::vector<TrustedProxy>;
bool covers(const TrustedProxies& proxies, std::string_view peer);

}  // namespace device_streams::hub
