#pragma once

#include "common/net/ack_watch.hpp"
#include "common/net/raw_connection.hpp"
#include "common/net/readiness.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

namespace device_streams {

/// Socket::peer() of a connection that had been reset before it was accepted.
inline constexpr std::string_view unknown_peer = "gone";

/// Owns one connected, non-blocking TCP or Unix socket. Asio only waits on it; bytes move by direct calls. Once one
/// operation has met a failure, every other one throws it too.
class Socket final : public RawConnection {
 public:
    /// Takes ownership of `handle`; TCP sends at once, and give_up_after(60 s). Throws as Readiness.
    Socket(const asio::any_io_executor& executor, SocketHandle handle);
    Socket(Socket&&) = default;
    Socket& operator=(Socket&&) = delete;

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
    bool is_open() const { return readiness_.is_open(); }
    SocketHandle handle() const { return readiness_.handle(); }
    const std::string& peer() const override { return peer_; }

 private:
    template <typename Call>
    std::optional<std::size_t> receive_by(Call call, WritableBytes into);
    void fail(const std::error_code& error);
    void throw_if_failed() const;
    void look_later(const std::shared_ptr<asio::steady_timer>& timer);

    Readiness readiness_;
    std::string peer_;
    std::error_code failure_;  // the first that was met
    AckWatch ack_watch_;
};

}  // namespace device_streams
