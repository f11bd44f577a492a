#include "hub/http/forwarded.hpp"

#include "common/base/ip_network.hpp"
#include "common/net/socket_address.hpp"
#include "common/text/ascii.hpp"
#include "common/text/decimal.hpp"
#include "common/text/parts.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace device_streams::hub {

namespace {

// 192.0.2.1, 2001:db8::1 and both with a port, the latter in brackets then. nullopt: `unknown`, or a name of the front
// end's own making.
std::optional<std::string> peer_in(std::string_view node) {
    if (const auto alone = parse_ip_address(node)) return describe(*alone);
    const auto address = parse_ip_address(host_of(node));
    const auto port = parse_decimal<std::uint16_t>(node.substr(node.rfind(':') + 1));
    if (!address || !port) return std::nullopt;
    return describe(*address) + ":" + std::to_string(*port);
}

// RFC 7239 section 4. Read as a whole and strictly: whoever can open a quote that a front end's own element then closes
// would hide that one.
class ForwardedList {
 public:
    explicit ForwardedList(std::string_view text) : rest_(text) {}

    /// What stands behind for= in each element; empty where it does not say.
    std::vector<std::string> nodes() {
        std::vector<std::string> found(1);
        for (;;) {
            if (!at_any_of(",;")) read_pair(found.back());
            if (rest_.empty()) return found;
            if (!at_any_of(",;")) fail();
            if (rest_.front() == ',') found.emplace_back();
            rest_.remove_prefix(1);
        }
    }

 private:
    [[noreturn]] static void fail() { throw ForwardedFault("its header Forwarded is malformed"); }
    // Also at the end, or behind some space.
    bool at_any_of(std::string_view marks) {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
        return rest_.empty() || marks.find(rest_.front()) != std::string_view::npos;
    }
    void read_pair(std::string& node) {
        const auto name = take_before("=,; \t\"");
        if (!rest_.starts_with('=')) fail();
        rest_.remove_prefix(1);
        const auto value = rest_.starts_with('"') ? take_quoted() : take_before(",; \t\"");
        if (!equal_ignoring_case(name, "for")) return;
        if (!node.empty()) fail();
        node = value;
    }
    std::string take_before(std::string_view marks) {
        const auto taken = rest_.substr(0, rest_.find_first_of(marks));
        rest_.remove_prefix(taken.size());
        return std::string(taken);
    }
    std::string take_quoted() {
        std::string taken;
        for (std::size_t i = 1; i < rest_.size(); ++i) {
            if (rest_[i] == '"') {
                rest_.remove_prefix(i + 1);
                return taken;
            }
            if (rest_[i] == '\\' && ++i == rest_.size()) break;
            taken += rest_[i];
        }
        fail();
    }

    std::string_view rest_;
};

// X-Forwarded-For knows no quotes.
std::vector<std::string> listed(std::string_view list) {
    std::vector<std::string> nodes;
    for (const auto node : split(list, ',')) nodes.emplace_back(trim(node));
    return nodes;
}

// The right end is the nearest: each front end adds whom it heard from.
std::string first_stranger(const std::vector<std::string>& nodes, const std::string& peer,
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
    auto by_forwarded = peer;
    if (forwarded) by_forwarded = first_stranger(ForwardedList(*forwarded).nodes(), peer, proxies);
    if (!list) return by_forwarded;
    auto by_list = first_stranger(listed(*list), peer, proxies);
    if (forwarded && host_of(by_list) != host_of(by_forwarded))
        throw ForwardedFault(
            "X-Forwarded-For and Forwarded name different clients; its front end must remove the one "
            "that it does not write");
    return by_list;
}

}  // namespace device_streams::hub
