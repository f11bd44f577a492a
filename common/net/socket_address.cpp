#include "common/net/socket_address.hpp"

#include "common/base/ip_network.hpp"

#include <algorithm>
#include <cstring>

namespace device_streams {

using tcp = asio::ip::tcp;

std::optional<tcp::endpoint> tcp_address(const SocketAddress& address) {
    const int family = address.protocol().family();
    if (family != tcp::v4().family() && family != tcp::v6().family()) return std::nullopt;
    tcp::endpoint found;
    std::memcpy(found.data(), address.data(), std::min(address.size(), found.capacity()));
    return found;
}

std::string describe(const SocketAddress& address) {
    const auto ip = tcp_address(address);
    return ip ? describe(ip->address()) + ":" + std::to_string(ip->port()) : "unix";
}

std::string describe(const asio::ip::address& address) {
    const auto plain = unmapped(address);
    if (plain.is_v4()) return plain.to_string();
    auto v6 = plain.to_v6();
    v6.scope_id(0);  // an interface of this machine, and no part of the peer's address
    return "[" + v6.to_string() + "]";
}

std::string_view host_of(std::string_view peer) {
    if (peer.starts_with('[')) return peer.substr(1, std::min(peer.find(']'), peer.size()) - 1);
    return peer.substr(0, peer.rfind(':'));
}

}  // namespace device_streams
