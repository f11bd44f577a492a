#include "common/net/socket_address.hpp"

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
    if (!ip) return "unix";
    const auto port = ":" + std::to_string(ip->port());
    if (ip->address().is_v4()) return ip->address().to_string() + port;
    auto v6 = ip->address().to_v6();
    v6.scope_id(0);  // an interface of this machine, and no part of the peer's address
    return "[" + v6.to_string() + "]" + port;
}

}  // namespace device_streams
