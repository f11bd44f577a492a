#include "common/net/inherited_sockets.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace device_streams {

namespace {

std::string numeric(const sockaddr* address, socklen_t size) {
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (getnameinfo(address, size, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return {};
    const auto parsed = static_cast<std::uint16_t>(std::strtoul(port, nullptr, 10));
    return Endpoint{host, parsed, {}}.to_string();
}

std::string address_of(int fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
    if (address.ss_family != AF_UNIX) return numeric(reinterpret_cast<const sockaddr*>(&address), size);
    const auto* path = reinterpret_cast<const sockaddr_un&>(address).sun_path;
    return Endpoint{{}, 0, std::string(path, strnlen(path, size - offsetof(sockaddr_un, sun_path)))}.to_string();
}

/// What address_of() says of a socket that listens there.
std::string resolved(const Endpoint& endpoint) {
    if (endpoint.is_unix()) return endpoint.to_string();
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    addrinfo* raw = nullptr;
    const int error = getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints, &raw);
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> found(raw, freeaddrinfo);
    return error == 0 ? numeric(found->ai_addr, found->ai_addrlen) : "";
}

}  // namespace

InheritedSockets::InheritedSockets(const std::vector<SocketHandle>& listening) {
    for (const auto fd : listening) entries_.push_back({fd, address_of(fd)});
}

InheritedSockets::~InheritedSockets() {
    for (const auto& entry : entries_) socket_calls::close(entry.handle);
}

SocketHandle InheritedSockets::duplicate(const Endpoint& endpoint) {
    if (entries_.empty()) return no_socket;
    const auto wanted = resolved(endpoint);
    const auto found = std::ranges::find(entries_, wanted, &Entry::address);
    if (wanted.empty() || found == entries_.end()) return no_socket;
    const int copy = fcntl(found->handle, F_DUPFD_CLOEXEC, 0);
    if (copy < 0 || fcntl(copy, F_SETFL, fcntl(copy, F_GETFL) | O_NONBLOCK) != 0) return no_socket;
    found->used = true;
    return copy;
}

std::vector<std::string> InheritedSockets::unused() const {
    std::vector<std::string> addresses;
    for (const auto& entry : entries_) {
        if (!entry.used) addresses.push_back(entry.address.empty() ? "of an unknown kind" : entry.address);
    }
    return addresses;
}

}  // namespace device_streams
