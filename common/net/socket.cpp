#include "common/net/socket.hpp"

#include "common/net/descriptor_monitor.hpp"
#include "common/net/socket_calls.hpp"

#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>

namespace device_streams {

namespace {

constexpr std::chrono::seconds patience{60};

void set_option(int fd, int level, int name, int value) {
    socket_calls::setsockopt(fd, level, name, &value, sizeof value);  // a Unix socket refuses these, rightly
}

constexpr int probes = 3;

// Half of the time passes before the first probe, the rest until the last of them was not answered.
void time_probes(int fd, std::chrono::steady_clock::duration silence) {
    const auto seconds = static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(silence).count());
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, std::max(seconds / 2, 1));
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, std::max(seconds / 2 / probes, 1));
}

std::string describe_peer(int fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "gone";
    char text[INET6_ADDRSTRLEN] = {};
    if (address.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
        inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
        return std::string(text) + ":" + std::to_string(ntohs(v4.sin_port));
    }
    if (address.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
        inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
        return "[" + std::string(text) + "]:" + std::to_string(ntohs(v6.sin6_port));
    }
    return "unix";
}

int pending_error(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    return socket_calls::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

// Ours from the start: also when there is no memory to watch it.
asio::posix::stream_descriptor watched(const asio::any_io_executor& executor, int fd) {
    asio::posix::stream_descriptor descriptor(executor);
    asio::error_code error;
    descriptor.assign(fd, error);
    if (!error) return descriptor;
    socket_calls::close(fd);
    throw std::system_error(error);
}

}  // namespace

Socket::Socket(const asio::any_io_executor& executor, int fd)
    : descriptor_(watched(executor, fd)), peer_(describe_peer(fd)), ack_watch_(patience) {
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, probes);
    time_probes(fd, patience);
}

Socket::~Socket() {
    close();
}

std::optional<std::size_t> Socket::try_recv(WritableBytes into) {
    return receive_by(socket_calls::recv, into);
}

std::optional<std::size_t> Socket::try_peek(WritableBytes into) {
    return receive_by(socket_calls::peek, into);
}

template <typename Call>
std::optional<std::size_t> Socket::receive_by(Call call, WritableBytes into) {
    for (;;) {
        const auto size = call(fd(), into.data(), into.size());
        if (size <= 0) throw_if_failed();  // what came before a failure can still be read
        if (size >= 0) return static_cast<std::size_t>(size);
        if (errno == EAGAIN || errno == EWOULDBLOCK) return std::nullopt;
        if (errno != EINTR) fail(errno);
    }
}

// The kernel tells an error to one call only, after which a reader would see a clean end.
void Socket::fail(int error) {
    failure_ = error;
    throw_if_failed();
}

std::size_t Socket::try_send(ReadableBytes bytes) {
    throw_if_failed();
    for (;;) {
        const auto size = socket_calls::send(fd(), bytes.data(), bytes.size());
        if (size >= 0) return static_cast<std::size_t>(size);
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) return 0;
        if (errno == EINTR) continue;
        const int error = errno;
        // Where the kernel wakes no reader; the peer must see no end of file by it.
        socket_calls::shutdown(fd(), SHUT_RD);
        fail(error);
    }
}

void Socket::throw_if_failed() const {
    if (failure_ != 0) throw_stream_error(failure_);
}

asio::awaitable<void> Socket::wait_readable() {
    return descriptor_.async_wait(asio::posix::descriptor_base::wait_read, asio::use_awaitable);
}

asio::awaitable<void> Socket::wait_writable() {
    return descriptor_.async_wait(asio::posix::descriptor_base::wait_write, asio::use_awaitable);
}

LossMonitor Socket::watch(const asio::any_io_executor& strand, OnLost on_lost) {
    struct Watching {
        asio::steady_timer looks;
        std::shared_ptr<DescriptorMonitor> errors;
    };
    auto look = [this, on_lost = std::move(on_lost)](const asio::error_code& error) {
        try {
            if (error) throw std::system_error(error);
            fail(failure_ != 0 ? failure_ : pending_error(fd()));
            return true;  // urgent data, or both directions ended in order: neither is a fault, and neither goes away
        } catch (...) {
            on_lost(std::current_exception());
            return false;
        }
    };
    auto errors = std::make_shared<DescriptorMonitor>(descriptor_, asio::posix::descriptor_base::wait_error, strand,
                                                      std::move(look));
    errors->start();
    const auto watching = std::make_shared<Watching>(Watching{asio::steady_timer(strand), std::move(errors)});
    look_later(std::shared_ptr<asio::steady_timer>(watching, &watching->looks));
    return watching;
}

// Who watches holds the timer, and there are no more looks without it.
void Socket::look_later(const std::shared_ptr<asio::steady_timer>& timer) {
    timer->expires_after(ack_watch_.interval());
    timer->async_wait([this, held = std::weak_ptr(timer)](const asio::error_code& stopped) {
        const auto still_wanted = held.lock();
        if (stopped || !still_wanted) return;
        tcp_info state{};
        socklen_t size = sizeof state;
        const int failed = socket_calls::getsockopt(fd(), IPPROTO_TCP, TCP_INFO, &state, &size);
        if (failed != 0 || !ack_watch_.is_dead(state)) return look_later(still_wanted);
        give_up();
    });
}

void Socket::give_up() noexcept {
    if (!is_open()) return;
    if (failure_ == 0) failure_ = ETIMEDOUT;
    socket_calls::shutdown(fd(), SHUT_RDWR);  // wakes whoever waits on it
}

void Socket::give_up_after(std::chrono::steady_clock::duration silence) {
    const AckWatch wanted(silence);
    if (wanted.interval() == ack_watch_.interval()) return;
    time_probes(fd(), silence);
    ack_watch_ = wanted;
}

void Socket::shutdown_write() noexcept {
    if (is_open()) socket_calls::shutdown(fd(), SHUT_WR);
}

int Socket::release() noexcept {
    try {
        return is_open() ? descriptor_.release() : -1;
    } catch (...) {
        return -1;  // only for a descriptor that is not open
    }
}

void Socket::close() noexcept {
    const int fd = release();
    if (fd >= 0) socket_calls::close(fd);
}

std::size_t Socket::undelivered() {
    const int unacknowledged = is_open() ? socket_calls::unacknowledged(fd()) : 0;
    return unacknowledged > 0 ? static_cast<std::size_t>(unacknowledged) : 0;
}

void Socket::reset_on_close(bool yes) noexcept {
    const linger how{.l_onoff = yes ? 1 : 0, .l_linger = 0};
    if (is_open()) socket_calls::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &how, sizeof how);
}

void Socket::reset() noexcept {
    reset_on_close(true);
    close();
}

std::pair<Socket, Socket> make_socket_pair(const asio::any_io_executor& executor) {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        throw std::system_error(errno, std::generic_category(), "socketpair");
    return {Socket(executor, fds[0]), Socket(executor, fds[1])};
}

}  // namespace device_streams
