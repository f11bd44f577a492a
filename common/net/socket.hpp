#pragma once

#include "common/net/ack_watch.hpp"
#include "common/net/raw_connection.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace device_streams {

/// Owns one connected, non-blocking TCP or Unix socket. Asio only waits on it; bytes move by direct calls. Once one
/// operation has met a failure, every other one throws it too.
class Socket final : public RawConnection {
 public:
    /// Takes ownership of `fd`; sets TCP_NODELAY on TCP sockets, and give_up_after(60 s).
    Socket(const asio::any_io_executor& executor, int fd);
    Socket(Socket&&) = default;
    Socket& operator=(Socket&&) = delete;
    ~Socket() override;

    std::optional<std::size_t> try_recv(WritableBytes into) override;
    /// As try_recv, but leaves the bytes in the kernel.
    std::optional<std::size_t> try_peek(WritableBytes into);
    std::size_t try_send(ReadableBytes bytes) override;

    asio::awaitable<void> wait_readable() override;
    asio::awaitable<void> wait_writable() override;
    LossMonitor watch(const asio::any_io_executor& strand, OnLost on_lost) override;
    /// Keep-alive probes while nothing is under way (the kernel asks), else data (its watch asks, see AckWatch).
    void give_up_after(std::chrono::steady_clock::duration silence) override;
    void give_up() noexcept override;

    void shutdown_write() noexcept override;
    std::size_t undelivered() override;
    /// Whether the peer sees RST when the socket is closed, also by the end of this process. TCP only.
    void reset_on_close(bool yes) noexcept;
    void close() noexcept override;
    void reset() noexcept override;
    /// Gives the descriptor away; the socket is closed afterwards.
    int release() noexcept;
    bool is_open() const { return descriptor_.is_open(); }
    int fd() { return descriptor_.native_handle(); }
    const std::string& peer() const override { return peer_; }

 private:
    template <typename Call>
    std::optional<std::size_t> receive_by(Call call, WritableBytes into);
    void fail(int error);
    void throw_if_failed() const;
    void look_later(const std::shared_ptr<asio::steady_timer>& timer);

    asio::posix::stream_descriptor descriptor_;
    std::string peer_;
    int failure_ = 0;  // errno of the first failure that was met
    AckWatch ack_watch_;
};

/// Two connected Unix sockets, for tests and for handing a stream to another part of the process.
std::pair<Socket, Socket> make_socket_pair(const asio::any_io_executor& executor);

}  // namespace device_streams
