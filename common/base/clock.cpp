#include "common/base/clock.hpp"

#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

namespace device_streams {

asio::awaitable<void> Clock::sleep_for(duration length) {
    return sleep_until(now() + length);
}

std::int64_t Clock::unix_seconds() const {
    return std::chrono::duration_cast<std::chrono::seconds>(wall_now().time_since_epoch()).count();
}

asio::awaitable<void> SystemClock::sleep_until(time_point deadline) {
    asio::steady_timer timer(co_await asio::this_coro::executor, deadline);
    co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace device_streams
