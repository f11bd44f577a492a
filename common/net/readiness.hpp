#pragma once

#include "common/net/socket_calls.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <system_error>

namespace device_streams {

/// Owns a socket and waits for it; bytes move by socket_calls. Waits of different kinds go on beside each other.
class Readiness {
 public:
    /// wait_read, wait_write, or wait_error: a reset, or both directions have ended.
    using What = asio::socket_base::wait_type;
    /// Is told that what was waited for is there, or why it cannot be waited for. True: to be asked again in 100 ms, as
    /// the reason may stay.
    using Look = std::function<bool(const std::error_code&)>;

    /// Takes ownership of `handle`, also when it throws std::system_error: it cannot be waited for.
    Readiness(const asio::any_io_executor& executor, SocketHandle handle);
    Readiness(Readiness&& other) noexcept;
    Readiness& operator=(Readiness&&) = delete;
    ~Readiness();

    /// Returns when `what` may be so; also early.
    asio::awaitable<void> wait(What what);
    /// Waits beside others, until what is returned is dropped; `look` runs on
    /// `strand`. Not a coroutine: an idle stream has several of these, and a coroutine costs more than all else that it
    /// holds.
    std::shared_ptr<void> monitor(What what, const asio::any_io_executor& strand, Look look);

    SocketHandle handle() const { return handle_; }
    bool is_open() const { return handle_ != no_socket; }
    /// Gives the socket away, or no_socket when there is none any more. Waits end with operation_aborted.
    SocketHandle release() noexcept;
    void close() noexcept;

 private:
    struct Waiter;
    class Monitor;
    std::shared_ptr<Waiter> waiter_;
    SocketHandle handle_;
};

}  // namespace device_streams
