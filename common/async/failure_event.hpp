#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>

#include <exception>

namespace device_streams {

/// How a callback ends what coroutines of its strand do (first_of in join.hpp), with a failure that it has found. For
/// what would otherwise need a coroutine of its own that only waits for the failure.
class FailureEvent {
 public:
    explicit FailureEvent(const asio::any_io_executor& strand)
        : never_(strand, asio::steady_timer::time_point::max()) {}

    /// The first failure counts: false when it has rung before.
    bool ring(std::exception_ptr failure);
    /// Never returns; throws the failure of ring(), at once when that came before.
    asio::awaitable<void> wait();

    /// For first_of: its wait ends when it is rung, or by cancellation; throw_end() then throws which.
    asio::steady_timer& timer() { return never_; }
    [[noreturn]] void throw_end() const;

 private:
    asio::steady_timer never_;  // long past once it has rung, so that a later wait ends at once
    std::exception_ptr failure_;
};

}  // namespace device_streams
