#include "hub/http/forwarded.hpp"

#include "common/base/ip_network.hpp"
#include "common/net/socket_address.hpp"
#include "common/text/ascii.hpp"
#include "common/text/decimal.hpp"
#include "common/text/parts.hpp"

#include <optional>
#include <vector>

namespace device_streams::hub {

namespace {

std::string_view unquoted(std::string_view text) {
    return text.size() >= 2 && text.starts_with('"') && text.ends_with('"') ? text.substr(1, text.size() - 2) : text;
}

// 192.0.2.1, 2001:db8::1 and both with a port, the latter in brackets then. nullopt: `unknown`, or a name of the front
// end's own making.
std::optional<std::string> peer_in(std::string_view node) {
    if (const auto alone = parse_ip_address(node)) return describe(*alone);
    const auto address = parse_ip_address(host_of(node));
    const auto port = parse_decimal<std::uint16_t>(node.substr(node.rfind(':') + 1));
    if (!address || !port) return std::nullopt;
    return describe(*address) + ":" + std::to_string(*port);
}

// Elements of a list, with the commas inside quotes left alone.
std::vector<std::string_view> elements(std::string_view list) {
    std::vector<std::string_view> found;
    bool quoted = false;
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= list.size(); ++i) {
        if (i < list.size() && list[i] == '"') quoted = !quoted;
        if (i < list.size() && (quoted || list[i] != ',')) continue;
        found.push_back(trim(list.substr(begin, i - begin)));
        begin = i + 1;
    }
    return found;
}

// What stands behind for= in an element of Forwarded; empty: it does not say.
std::string_view node_of(std::string_view element) {
    for (const auto pair : split(element, ';')) {
        const auto named = split_pair(trim(pair));
        if (named && equal_ignoring_case(named->name, "for")) return unquoted(named->value);
    }
    return {};
}

// The right end is the nearest: each front end adds whom it heard from.
std::string first_stranger(const std::vector<std::string_view>& nodes, const std::string& peer,
                           const TrustedProxies& proxies) {
    auto found = peer;
    for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
        const auto said = peer_in(*node);
        if (!said) break;
        found = *said;
        if (!covers(proxies, found)) break;
    }
    return found;
}

}  // namespace

std::string forwarded_peer(const http::Headers& headers, const std::string& peer, const TrustedProxies& proxies) {
    if (proxies.empty() || !covers(proxies, peer)) return peer;
    const auto list = headers.find("X-Forwarded-For");
    const auto forwarded = headers.find("Forwarded");
    std::vector<std::string_view> nodes;
    if (forwarded)
        for (const auto element : elements(*forwarded)) nodes.push_back(node_of(element));
    auto by_forwarded = first_stranger(nodes, peer, proxies);
    if (!list) return by_forwarded;
    auto by_list = first_stranger(elements(*list), peer, proxies);
    if (forwarded && host_of(by_list) != host_of(by_forwarded))
        throw ForwardedFault(
            "X-Forwarded-For and Forwarded name different clients; its front end must remove the one "
            "that it does not write");
    return by_list;
}

}  // namespace device_streams::hub
