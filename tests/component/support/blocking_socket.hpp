#pragma once

#include "common/base/endpoint.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace device_streams::test {

/// A TCP socket as plain programs use it: blocking, with 20 s for each step so that a test fails rather than hangs.
class BlockingSocket {
 public:
    explicit BlockingSocket(int fd) : fd_(fd) {
        const timeval limit{.tv_sec = 20, .tv_usec = 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    }
    BlockingSocket(BlockingSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    BlockingSocket& operator=(BlockingSocket&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~BlockingSocket() {
        if (fd_ >= 0) ::close(fd_);
    }

    static BlockingSocket connect(const Endpoint& to) {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const auto address = make_address(to);
        if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            const int error = errno;
            ::close(fd);
            throw std::system_error(error, std::generic_category(), "connect");
        }
        return BlockingSocket(fd);
    }
    static sockaddr_in make_address(const Endpoint& endpoint) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(endpoint.port);
        ::inet_pton(AF_INET, endpoint.host.c_str(), &address.sin_addr);
        return address;
    }

    void send(std::string_view text) {
        while (!text.empty()) {
            const auto size = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
            if (size < 0) throw std::system_error(errno, std::generic_category(), "send");
            text.remove_prefix(static_cast<std::size_t>(size));
        }
    }
    /// Sends until nothing goes any more: everybody on the way is full.
    std::size_t send_until_blocked(std::chrono::milliseconds quiet = std::chrono::milliseconds(300)) {
        const std::string chunk(64 * 1024, 'x');
        std::size_t total = 0;
        for (pollfd entry{.fd = fd_, .events = POLLOUT, .revents = 0};
             ::poll(&entry, 1, static_cast<int>(quiet.count())) > 0;) {
            const auto size = ::send(fd_, chunk.data(), chunk.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (size < 0 && errno != EAGAIN) throw std::system_error(errno, std::generic_category(), "send");
            if (size > 0) total += static_cast<std::size_t>(size);
        }
        return total;
    }
    /// Exactly `size` bytes, fewer if the stream ends first.
    std::string receive(std::size_t size) {
        std::string text(size, '\0');
        std::size_t done = 0;
        while (done < size) {
            const auto part = ::recv(fd_, text.data() + done, size - done, 0);
            if (part < 0) throw std::system_error(errno, std::generic_category(), "recv");
            if (part == 0) break;
            done += static_cast<std::size_t>(part);
        }
        text.resize(done);
        return text;
    }
    /// What is there, at least one byte; empty at the end.
    std::string receive_some() {
        std::string text(64 * 1024, '\0');
        const auto size = ::recv(fd_, text.data(), text.size(), 0);
        if (size < 0) throw std::system_error(errno, std::generic_category(), "recv");
        text.resize(static_cast<std::size_t>(size));
        return text;
    }
    /// How the peer ends the stream: "end", "reset", or what went wrong. Drops bytes before it.
    std::string how_it_ends() {
        char dropped[4096];
        ssize_t size = 1;
        while (size > 0) size = ::recv(fd_, dropped, sizeof dropped, 0);
        if (size == 0) return "end";
        return errno == ECONNRESET || errno == EPIPE ? "reset" : std::strerror(errno);
    }
    void shut_down_writing() { ::shutdown(fd_, SHUT_WR); }
    void reset() {
        const linger immediately{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &immediately, sizeof immediately);
        ::close(std::exchange(fd_, -1));
    }
    int fd() const { return fd_; }

 private:
    int fd_;
};

/// A listening socket on a port that the system chose.
class BlockingListener {
 public:
    explicit BlockingListener(std::uint16_t port = 0) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const int on = 1;
        ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        auto address = BlockingSocket::make_address(Endpoint{.host = "127.0.0.1", .port = port, .path = {}});
        if (::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(fd_, 128) != 0)
            throw std::system_error(errno, std::generic_category(), "listen");
    }
    ~BlockingListener() { close(); }
    BlockingListener(const BlockingListener&) = delete;
    BlockingListener& operator=(const BlockingListener&) = delete;

    BlockingSocket accept() {
        pollfd entry{.fd = fd_, .events = POLLIN, .revents = 0};
        if (::poll(&entry, 1, 20'000) <= 0) throw std::runtime_error("nobody connected within 20 s");
        return BlockingSocket(::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC));
    }
    Endpoint endpoint() const {
        sockaddr_in address{};
        socklen_t size = sizeof address;
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
        return {.host = "127.0.0.1", .port = ntohs(address.sin_port), .path = {}};
    }
    void close() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }

 private:
    int fd_;
};

}  // namespace device_streams::test
