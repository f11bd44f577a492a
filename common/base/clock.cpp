#include "common/base/clock.hpp"

#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <system_error>

namespace device_streams {

asio::awaitable<void> Clock::sleep_until(time_point deadline) {
    const auto timer = alarm(co_await asio::this_coro::executor, deadline);
    asio::error_code woken;
    co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (now() < deadline) throw std::system_error(asio::error::operation_aborted);
}

asio::awaitable<void> Clock::sleep_for(duration length) {
    return sleep_until(now() + length);
}

std::int64_t Clock::unix_seconds() const {
    return std::chrono::duration_cast<std::chrono::seconds>(wall_now().time_since_epoch()).count();
}

std::shared_ptr<asio::steady_timer> SystemClock::alarm(const asio::any_io_executor& executor, time_point deadline) {
    return std::make_shared<asio::steady_timer>(executor, deadline);
}

std::int64_t whole_milliseconds(Clock::duration length) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(length).count();
}

}  // namespace device_streams
