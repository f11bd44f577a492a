#pragma once

#include "common/net/byte_stream.hpp"

#include <asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace device_streams {

/// What TLS runs on: a connection that takes and gives bytes without waiting. A TCP socket, or the way that an HTTP
/// proxy has opened. One reader and one writer at a time, on one strand.
class RawConnection {
 public:
    virtual ~RawConnection() = default;

    /// nullopt: would block; 0: end of stream. Throws StreamError (reset or lost).
    virtual std::optional<std::size_t> try_recv(WritableBytes into) = 0;
    /// How many bytes were taken; 0 when it is full. Throws StreamError (reset or lost).
    virtual std::size_t try_send(ReadableBytes bytes) = 0;
    virtual asio::awaitable<void> wait_readable() = 0;
    virtual asio::awaitable<void> wait_writable() = 0;
    /// As ByteStream::watch. Without reading; a wait that is under way ends when the connection is lost.
    virtual LossMonitor watch(const asio::any_io_executor& strand, OnLost on_lost) = 0;
    /// How long a TCP peer may leave everything unanswered. In whole seconds for the kernel; not below 3 s.
    virtual void give_up_after(std::chrono::steady_clock::duration silence) = 0;

    /// The peer is dead: what has come from it can still be read, then every operation throws StreamError(lost); waits
    /// that are under way end.
    virtual void give_up() noexcept = 0;

    /// Ends this direction, where one can end alone.
    virtual void shutdown_write() noexcept = 0;
    /// Bytes that were sent and not yet acknowledged by the peer's kernel.
    virtual std::size_t undelivered() = 0;
    /// Closes; pending waits end with operation_aborted.
    virtual void close() noexcept = 0;
    /// Closes so that the peer sees RST.
    virtual void reset() noexcept = 0;
    /// "203.0.113.7:51514" or "unix"; for logs.
    virtual const std::string& peer() const = 0;
    /// True while bytes that were taken wait here, for wait_writable() to send them.
    virtual bool holds_output() const { return false; }
    /// True for one that is TLS itself.
    virtual bool is_tls() const { return false; }

 protected:
    RawConnection() = default;
    RawConnection(const RawConnection&) = default;
    RawConnection& operator=(const RawConnection&) = default;
};

}  // namespace device_streams
