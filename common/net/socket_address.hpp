#pragma once

#include <asio/generic/stream_protocol.hpp>
#include <asio/ip/tcp.hpp>

#include <optional>
#include <string>

namespace device_streams {

/// Where a stream socket listens or connects to, of any family, as the system's calls take it.
using SocketAddress = asio::generic::stream_protocol::endpoint;

/// nullopt: it is no address of TCP.
std::optional<asio::ip::tcp::endpoint> tcp_address(const SocketAddress& address);
/// "203.0.113.7:51514", "[2001:db8::7]:51514" or "unix"; for logs.
std::string describe(const SocketAddress& address);
/// Of a Unix socket. Throws std::system_error: name_too_long, or operation_not_supported where there are none.
SocketAddress unix_address(const std::string& path);

}  // namespace device_streams
