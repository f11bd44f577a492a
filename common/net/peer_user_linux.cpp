#include "common/net/peer_user.hpp"

#include "common/net/socket_address.hpp"
#include "common/net/socket_options.hpp"
#include "common/net/tcp_table.hpp"

#include <array>
#include <fstream>
#include <iterator>
#include <sys/socket.h>

namespace device_streams {

namespace {

using asio::ip::tcp;

std::string content_of(const char* file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

// In a user namespace the kernel shows all users that it does not map as this one.
std::optional<UserId> if_mapped(UserId user) {
    return user == unmapped_user ? std::nullopt : std::optional(user);
}

bool is_ipv4_within(const tcp::endpoint& endpoint) {
    return endpoint.address().is_v6() && endpoint.address().to_v6().is_v4_mapped();
}
tcp::endpoint as_ipv4(const tcp::endpoint& endpoint) {
    return {asio::ip::make_address_v4(asio::ip::v4_mapped, endpoint.address().to_v6()), endpoint.port()};
}
tcp::endpoint as_ipv6(const tcp::endpoint& endpoint) {
    return {asio::ip::make_address_v6(asio::ip::v4_mapped, endpoint.address().to_v4()), endpoint.port()};
}

// A program may speak IPv4 by a socket of IPv6, and then stands in the other table.
std::optional<UserId> owner_of(tcp::endpoint local, tcp::endpoint remote) {
    if (is_ipv4_within(local)) local = as_ipv4(local);
    if (is_ipv4_within(remote)) remote = as_ipv4(remote);
    if (local.address().is_v6()) return owner_in_tcp_table(content_of("/proc/self/net/tcp6"), local, remote);
    if (const auto owner = owner_in_tcp_table(content_of("/proc/self/net/tcp"), local, remote)) return owner;
    return owner_in_tcp_table(content_of("/proc/self/net/tcp6"), as_ipv6(local), as_ipv6(remote));
}

}  // namespace

std::optional<UserId> peer_user(const Socket& socket) {
    const auto here = socket_options::local_address(socket.handle());
    const auto there = socket_options::peer_address(socket.handle());
    if (!here || !there) return std::nullopt;
    if (here->protocol().family() == AF_UNIX) {
        ucred who{};
        socklen_t size = sizeof who;
        const bool known = ::getsockopt(socket.handle(), SOL_SOCKET, SO_PEERCRED, &who, &size) == 0;
        return known ? if_mapped(who.uid) : std::nullopt;
    }
    const auto local = tcp_address(*there), remote = tcp_address(*here);  // as the peer has them
    const auto owner = local && remote ? owner_of(*local, *remote) : std::nullopt;
    return owner ? if_mapped(*owner) : std::nullopt;
}

}  // namespace device_streams
