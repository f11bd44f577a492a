#include "hub/limits/trusted_proxies.hpp"

#include "common/net/socket_address.hpp"

#include <algorithm>

namespace device_streams::hub {

namespace {
constexpr std::string_view unix_word = "unix";
}  // namespace

std::optional<TrustedProxy> TrustedProxy::parse(std::string_view text) {
    TrustedProxy parsed;
    parsed.unix_sockets_ = text == unix_word;
    if (!parsed.unix_sockets_) parsed.network_ = IpNetwork::parse(text);
    return parsed.unix_sockets_ || parsed.network_ ? std::optional(parsed) : std::nullopt;
}

bool TrustedProxy::covers(std::string_view peer) const {
    if (unix_sockets_) return peer == unix_word;
    const auto address = parse_ip_address(host_of(peer));
    return address && network_ && network_->contains(*address);
}

std::string TrustedProxy::to_string() const {
    if (unix_sockets_) return std::string(unix_word);
    return network_ ? network_->to_string() : "";
}

bool covers(const TrustedProxies& proxies, std::string_view peer) {
    return std::ranges::any_of(proxies, [&](const auto& proxy) { return proxy.covers(peer); });
}

}  // namespace device_streams::hub
