#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/error.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <system_error>

namespace device_streams {

/// Wakes the one coroutine that waits; a wake that comes while nobody waits is kept for the next wait. Used on one
/// strand.
class Event {
 public:
    explicit Event(const asio::any_io_executor& executor) : timer_(executor, asio::steady_timer::time_point::max()) {}

    void wake() {
        woken_ = true;
        timer_.cancel();
    }
    asio::awaitable<void> wait() {
        asio::error_code ended;
        if (!woken_) co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ended));
        if (!woken_) throw std::system_error(asio::error::operation_aborted);
        woken_ = false;
    }

 private:
    asio::steady_timer timer_;  // never expires
    bool woken_ = false;
};

}  // namespace device_streams
