#pragma once

#include "common/net/socket_stream.hpp"
#include "tests/component/support/blocking_socket.hpp"
#include "tests/component/support/loopback_server.hpp"

#include <array>
#include <vector>

namespace device_streams::test {

/// A listening socket whose queue is full: who connects waits for ever.
class BlackHole {
 public:
    BlackHole() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address = BlockingSocket::make_address({.host = "127.0.0.1", .port = 0, .path = {}});
        socklen_t size = sizeof address;
        ::bind(fd_, reinterpret_cast<const sockaddr*>(&address), size);
        ::listen(fd_, 0);
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
        endpoint = {.host = "127.0.0.1", .port = ntohs(address.sin_port), .path = {}};
        while (fill(address)) {
        }
    }
    ~BlackHole() {
        for (const int fd : queue_) ::close(fd);
        ::close(fd_);
    }
    Endpoint endpoint;

 private:
    /// False once a connection is left waiting.
    bool fill(const sockaddr_in& address) {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        queue_.push_back(fd);
        ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
        pollfd entry{.fd = fd, .events = POLLOUT, .revents = 0};
        return ::poll(&entry, 1, 100) == 1;
    }
    int fd_;
    std::vector<int> queue_;
};

/// Sends back what it receives, to any number of clients.
class EchoService {
 public:
    explicit EchoService(Background& background)
        : server_(background, [](Socket socket) { return echo(SocketStream(std::move(socket))); }) {}
    const Endpoint& endpoint() const { return server_.endpoint(); }

 private:
    static asio::awaitable<void> echo(SocketStream stream) {
        std::array<std::byte, 256> chunk;
        while (const auto size = co_await stream.read_some(chunk)) {
            const auto received = std::span(chunk).first(size);
            co_await write_copy(stream, received);
        }
    }

    LoopbackServer server_;
};

}  // namespace device_streams::test
