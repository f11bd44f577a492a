#pragma once

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

/// What ds-load and ds-target share: a TCP connection with blocking calls, the order that begins a stream, the pattern.
/// Nothing here comes from the programs under measurement.
namespace bench {

inline constexpr std::size_t block = 256 * 1024;

/// What the target is to do with a stream.
enum class Task : std::uint32_t {
    echo,      ///< send back each message until the end of the stream
    transfer,  ///< send a byte, wait for one, receive `up` bytes while sending `down` bytes, then send a byte more
    check,     ///< the same, and each byte must be that of the pattern
    stall,     ///< send for as long as anything goes, and read nothing
};

/// The first bytes of every stream.
struct Order {
    Task task = Task::echo;
    std::uint32_t message = 1;  ///< bytes
    std::uint64_t up = 0;
    std::uint64_t down = 0;
    std::uint64_t stream = 0;  ///< its number, which is part of its pattern
};

/// Of "[ADDRESS:]PORT"; without an address 127.0.0.1.
inline sockaddr_in parse_address(const std::string& text) {
    const auto colon = text.rfind(':');
    const auto host = colon == std::string::npos ? "127.0.0.1" : text.substr(0, colon);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(text.substr(colon + 1))));
    if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) throw std::runtime_error("not an address: " + text);
    return address;
}

class Stream {
 public:
    explicit Stream(int fd) : fd_(fd) {
        if (fd_ < 0) throw std::runtime_error(std::string("no socket: ") + std::strerror(errno));
        const int yes = 1;
        setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }
    explicit Stream(const sockaddr_in& to) : Stream(socket(AF_INET, SOCK_STREAM, 0)) {
        if (connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
            throw std::runtime_error(std::string("cannot connect: ") + std::strerror(errno));
    }
    Stream(Stream&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Stream& operator=(Stream&&) = delete;
    ~Stream() {
        if (fd_ >= 0) close(fd_);
    }

    void send_all(const void* data, std::size_t size) const {
        for (const auto* at = static_cast<const char*>(data); size > 0;) {
            const auto sent = send(fd_, at, size, MSG_NOSIGNAL);
            if (sent <= 0) throw std::runtime_error(std::string("a stream broke: ") + std::strerror(errno));
            at += sent;
            size -= static_cast<std::size_t>(sent);
        }
    }
    void send_byte() const { send_all("b", 1); }

    /// 0 at the end of the stream.
    std::size_t receive(void* into, std::size_t size) const {
        const auto got = recv(fd_, into, size, 0);
        if (got < 0) throw std::runtime_error(std::string("a stream broke: ") + std::strerror(errno));
        return static_cast<std::size_t>(got);
    }
    /// False when the stream ended before the first byte.
    bool receive_all(void* into, std::size_t size) const {
        for (std::size_t done = 0; done < size;) {
            const auto got = receive(static_cast<char*>(into) + done, size - done);
            if (got == 0 && done == 0) return false;
            if (got == 0) throw std::runtime_error("a stream ended in the middle of a message");
            done += got;
        }
        return true;
    }
    void receive_byte() const {
        char byte = 0;
        if (!receive_all(&byte, 1)) throw std::runtime_error("a stream ended early");
    }
    /// Ends this direction; the peer must not have sent more than was taken.
    void finish() const {
        shutdown(fd_, SHUT_WR);
        char byte = 0;
        if (receive(&byte, 1) != 0) throw std::runtime_error("a stream had more bytes than were sent into it");
    }
    int fd() const { return fd_; }

 private:
    int fd_;
};

/// Byte `n` of a direction is a function of the stream, the direction and n, with a period that no chunk size divides.
inline unsigned char pattern(const Order& order, bool up, std::uint64_t n) {
    return static_cast<unsigned char>((n * 131 + n / 251 + order.stream * 59 + (up ? 17 : 0)) & 0xff);
}

inline void send_bytes(const Stream& to, const Order& order, bool up) {
    std::vector<unsigned char> room(block);
    const auto bytes = up ? order.up : order.down;
    for (std::uint64_t done = 0; done < bytes;) {
        const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(block, bytes - done));
        for (std::size_t i = 0; order.task == Task::check && i < size; ++i) room[i] = pattern(order, up, done + i);
        to.send_all(room.data(), size);
        done += size;
    }
}

inline void receive_bytes(const Stream& from, const Order& order, bool up) {
    std::vector<unsigned char> room(block);
    const auto bytes = up ? order.up : order.down;
    for (std::uint64_t done = 0; done < bytes;) {
        const auto size = from.receive(room.data(), std::min<std::uint64_t>(block, bytes - done));
        if (size == 0) throw std::runtime_error("a stream ended after " + std::to_string(done) + " bytes");
        for (std::size_t i = 0; order.task == Task::check && i < size; ++i)
            if (room[i] != pattern(order, up, done + i))
                throw std::runtime_error("byte " + std::to_string(done + i) + " of a stream is wrong");
        done += size;
    }
}

}  // namespace bench
