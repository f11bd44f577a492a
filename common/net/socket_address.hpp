#pragma once

#include <asio/generic/stream_protocol.hpp>
#include <asio/ip/tcp.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace device_streams {

/// Where a stream socket listens or connects to, of any family, as the system's calls take it.
using SocketAddress = asio::generic::stream_protocol::endpoint;

/// nullopt: it is no address of TCP.
std::optional<asio::ip::tcp::endpoint> tcp_address(const SocketAddress& address);
/// The name of a peer in logs: "203.0.113.7:51514", "[2001:db8::7]:51514" or "unix". IPv4 that came to an IPv6 socket
/// is shown as IPv4.
std::string describe(const SocketAddress& address);
/// The same where no port is known: "203.0.113.7" or "[2001:db8::7]".
std::string describe(const asio::ip::address& address);
/// The address, without brackets, in what describe() gives.
std::string_view host_of(std::string_view peer);
/// Of a Unix socket. Throws std::system_error: name_too_long, or operation_not_supported where there are none.
SocketAddress unix_address(const std::string& path);

}  // namespace device_streams
