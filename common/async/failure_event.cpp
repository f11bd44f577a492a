#include "common/async/failure_event.hpp"

#include <asio/error.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>

#include <system_error>
#include <utility>

namespace device_streams {

bool FailureEvent::ring(std::exception_ptr failure) {
    if (failure_) return false;
    failure_ = std::move(failure);
    never_.expires_at(asio::steady_timer::time_point());
    return true;
}

asio::awaitable<void> FailureEvent::wait() {
    asio::error_code woken;
    co_await never_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    throw_end();
}

void FailureEvent::throw_end() const {
    if (failure_) std::rethrow_exception(failure_);
    throw std::system_error(asio::error::operation_aborted);
}

}  // namespace device_streams
