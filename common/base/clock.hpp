#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <memory>

namespace device_streams {

/// The only source of time. Deadlines use now() (steady, unmoved by clock changes); tokens and logs use wall_now().
/// Tests pass a manual clock (tests/support/manual_clock.hpp).
class Clock {
 public:
    using duration = std::chrono::steady_clock::duration;
    using time_point = std::chrono::steady_clock::time_point;
    using wall_time = std::chrono::system_clock::time_point;

    virtual ~Clock() = default;
    virtual time_point now() const = 0;
    virtual wall_time wall_now() const = 0;
    /// A timer whose wait ends at or after `deadline`, with or without an error, or early when it is cancelled: now()
    /// tells which. Waiting for it costs less than a coroutine that sleeps.
    virtual std::shared_ptr<asio::steady_timer> alarm(const asio::any_io_executor& executor, time_point deadline) = 0;

    /// Returns at or after `deadline`, and never without suspending; ends early, throwing operation_aborted, when the
    /// coroutine is cancelled.
    asio::awaitable<void> sleep_until(time_point deadline);
    asio::awaitable<void> sleep_for(duration length);
    /// Whole seconds since 1970, as tokens count them.
    std::int64_t unix_seconds() const;
};

/// As durations stand in logs and answers.
std::int64_t whole_milliseconds(Clock::duration length);

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
    time_point now() const override { return std::chrono::steady_clock::now(); }
    wall_time wall_now() const override { return std::chrono::system_clock::now(); }
    std::shared_ptr<asio::steady_timer> alarm(const asio::any_io_executor& executor, time_point deadline) override;
};

}  // namespace device_streams
