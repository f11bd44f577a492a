#include "common/net/listener.hpp"

#include "common/base/error.hpp"
#include "common/net/socket_calls.hpp"

#include <asio/use_awaitable.hpp>

#include <cerrno>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace device_streams {

namespace {

[[noreturn]] void fail(const Endpoint& endpoint, const std::string& reason) {
    throw Failure(Errc::listen_failed, endpoint.to_string() + ": " + reason);
}

// Connections that wait to be accepted: as many as net.core.somaxconn permits, which SOMAXCONN knows nothing of. When
// a flood has filled the queue, the kernel drops what honest clients send, who try again after a second.
constexpr int longest_queue = 65'535;

// Owns a descriptor until it is known to be good.
struct Descriptor {
    ~Descriptor() {
        if (fd >= 0) socket_calls::close(fd);
    }
    int release() { return std::exchange(fd, -1); }
    int fd;
};

int drain_until_closed(const Endpoint& endpoint, const sockaddr* address, socklen_t size) {
    Descriptor socket{socket_calls::socket(address->sa_family, SOCK_STREAM)};
    const int yes = 1, no = 0;
    if (socket.fd < 0) fail(endpoint, std::strerror(errno));
    if (address->sa_family != AF_UNIX) socket_calls::setsockopt(socket.fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (address->sa_family == AF_INET6) socket_calls::setsockopt(socket.fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    if (address->sa_family == AF_UNIX) fchmod(socket.fd, S_IRUSR | S_IWUSR);  // nobody else, from the first moment
    if (socket_calls::bind(socket.fd, address, size) != 0) fail(endpoint, std::strerror(errno));
    if (socket_calls::listen(socket.fd, longest_queue) != 0) fail(endpoint, std::strerror(errno));
    return socket.release();
}

bool somebody_answers(const sockaddr_un& address) {
    const Descriptor probe{socket_calls::socket(AF_UNIX, SOCK_STREAM)};
    const int result = socket_calls::connect(probe.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    return result == 0 || errno != ECONNREFUSED;
}

int open_unix(const Endpoint& endpoint) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, endpoint.path.c_str(), std::min(endpoint.path.size(), sizeof address.sun_path - 1));
    struct stat file {};
    if (lstat(address.sun_path, &file) == 0 && S_ISSOCK(file.st_mode)) {
        if (somebody_answers(address)) fail(endpoint, std::strerror(EADDRINUSE));
        unlink(address.sun_path);
    }
    return drain_until_closed(endpoint, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

int open_tcp(const Endpoint& endpoint) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    addrinfo* raw = nullptr;
    const int error = getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints, &raw);
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> found(raw, freeaddrinfo);
    if (error != 0) fail(endpoint, gai_strerror(error));
    return drain_until_closed(endpoint, found->ai_addr, found->ai_addrlen);
}

int open(const Endpoint& endpoint) {
    return endpoint.is_unix() ? open_unix(endpoint) : open_tcp(endpoint);
}

std::uint16_t bound_port(int fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                               : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

bool is_exhaustion(int error) {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
           error == ENOSPC;  // the last by epoll_ctl(2)
}

}  // namespace

Listener::Listener(const asio::any_io_executor& executor, const Endpoint& endpoint, InheritedSockets* inherited)
    : Listener(executor, endpoint, inherited != nullptr ? inherited->duplicate(endpoint) : InheritedSockets::none) {
}

Listener::Listener(const asio::any_io_executor& executor, const Endpoint& endpoint, int inherited)
    : descriptor_(executor, inherited != InheritedSockets::none ? inherited : open(endpoint)),
      endpoint_(endpoint),
      owns_address_(inherited == InheritedSockets::none) {
    if (!endpoint.is_unix()) endpoint_.port = bound_port(descriptor_.native_handle());
}

Listener::~Listener() {
    close();
}

asio::awaitable<Socket> Listener::accept(asio::any_io_executor executor, Clock& clock, const Log& log) {
    bool told = false;
    for (;;) {
        const int fd = socket_calls::accept(descriptor_.native_handle(), nullptr, nullptr);
        int error = errno;
        if (fd >= 0) {
            try {
                Socket accepted(executor, fd);
                co_return accepted;
            } catch (const std::system_error& unwatchable) {
                error = unwatchable.code().value();
            }
        }
        if (is_exhaustion(error)) {
            if (!told) log.error(explain(Failure(Errc::out_of_descriptors, endpoint_.to_string())));
            told = true;
            co_await clock.sleep_for(std::chrono::milliseconds(100));
        } else if (error == EAGAIN || error == EWOULDBLOCK) {
            co_await descriptor_.async_wait(asio::posix::descriptor_base::wait_read, asio::use_awaitable);
        } else if (error == EBADF || error == EINVAL) {
            throw std::system_error(asio::error::operation_aborted);  // closed by close()
        }
        // Anything else concerns the one connection that was about to be accepted (accept(2)).
    }
}

void Listener::close() noexcept {
    if (!descriptor_.is_open()) return;
    try {
        socket_calls::close(descriptor_.release());
    } catch (...) {
        // release() only fails on a descriptor that is not open.
    }
    if (endpoint_.is_unix() && owns_address_) unlink(endpoint_.path.c_str());
}

}  // namespace device_streams
