#include "common/net/socket_calls.hpp"

#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>

namespace device_streams::socket_calls {

std::error_code last_error() {
    return {errno, asio::error::get_system_category()};
}

SocketHandle socket(int family) {
    return ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}
bool bind(SocketHandle handle, const SocketAddress& address) {
    return ::bind(handle, address.data(), static_cast<socklen_t>(address.size())) == 0;
}
bool listen(SocketHandle handle, int backlog) {
    return ::listen(handle, backlog) == 0;
}
SocketHandle accept(SocketHandle listener) {
    return ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
bool connect(SocketHandle handle, const SocketAddress& address) {
    return ::connect(handle, address.data(), static_cast<socklen_t>(address.size())) == 0;
}
std::ptrdiff_t recv(SocketHandle handle, void* into, std::size_t size) {
    return ::recv(handle, into, size, MSG_DONTWAIT);
}
std::ptrdiff_t peek(SocketHandle handle, void* into, std::size_t size) {
    return ::recv(handle, into, size, MSG_DONTWAIT | MSG_PEEK);
}
std::ptrdiff_t send(SocketHandle handle, const void* from, std::size_t size) {
    return ::send(handle, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}
void shutdown(SocketHandle handle, asio::socket_base::shutdown_type what) {
    ::shutdown(handle, what);
}
void close(SocketHandle handle) {
    ::close(handle);
}

}  // namespace device_streams::socket_calls
