#include "common/async/interruption.hpp"

#include "common/base/error.hpp"

#include <asio/this_coro.hpp>

#include <system_error>
#include <utility>

namespace device_streams {

void Interruption::cancel() {
    cancelled_ = true;
    signal_.emit(asio::cancellation_type::terminal);
}

void Interruption::interrupt(std::exception_ptr failure) {
    if (!failure_) failure_ = std::move(failure);
    if (!std::exchange(interrupted_, true) && under_way_) signal_.emit(asio::cancellation_type::terminal);
}

asio::awaitable<void> Interruption::interruptible(asio::awaitable<void> work) {
    std::exception_ptr failure;
    if (!interrupted_) {
        under_way_ = true;
        try {
            co_await std::move(work);
        } catch (...) {
            failure = std::current_exception();
        }
        under_way_ = false;
    }
    if (interrupted_ && !cancelled_) co_await asio::this_coro::reset_cancellation_state();
    end(failure);
}

void Interruption::end(const std::exception_ptr& of_work) {
    const bool interrupted = std::exchange(interrupted_, false);
    const auto failure = std::exchange(failure_, nullptr);
    if (of_work && (cancelled_ || !interrupted || !is_cancellation(of_work))) std::rethrow_exception(of_work);
    if (cancelled_) throw std::system_error(asio::error::operation_aborted);
    if (failure) std::rethrow_exception(failure);
}

}  // namespace device_streams
