#pragma once

#include "common/net/socket_address.hpp"

#include <asio/detail/socket_types.hpp>

#include <cstddef>
#include <system_error>

namespace device_streams {

/// A socket as the system numbers it: int or SOCKET. Asio's public names stand for a class on Windows.
using SocketHandle = asio::detail::socket_type;
inline constexpr auto no_socket = static_cast<SocketHandle>(-1);

}  // namespace device_streams

/// The calls that make sockets and move their bytes; fault tests link their own. None of them blocks, and no child
/// program inherits a socket. What failed returns false, no_socket or a negative size, and last_error() says why.
namespace device_streams::socket_calls {

/// Of the last call in this thread, which has failed. Compares with asio::error.
std::error_code last_error();

SocketHandle socket(int family);
bool bind(SocketHandle handle, const SocketAddress& address);
bool listen(SocketHandle handle, int backlog);
SocketHandle accept(SocketHandle listener);
/// False with asio::error::in_progress: the socket becomes writable when it is decided.
bool connect(SocketHandle handle, const SocketAddress& address);
std::ptrdiff_t recv(SocketHandle handle, void* into, std::size_t size);
/// recv that leaves the bytes where they are.
std::ptrdiff_t peek(SocketHandle handle, void* into, std::size_t size);
/// Never raises a signal.
std::ptrdiff_t send(SocketHandle handle, const void* from, std::size_t size);
void shutdown(SocketHandle handle, asio::socket_base::shutdown_type what);
void close(SocketHandle handle);

}  // namespace device_streams::socket_calls
