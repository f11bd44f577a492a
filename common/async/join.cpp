#include "common/async/join.hpp"

#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/experimental/deferred.hpp>
#include <asio/experimental/parallel_group.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <system_error>

namespace device_streams {

namespace {

namespace ex = asio::experimental;

// What a coroutine has left behind: nothing, or what it threw.
void rethrow(const std::exception_ptr& failure) {
    if (failure) std::rethrow_exception(failure);
}

auto started(const asio::any_io_executor& executor, asio::awaitable<void> work) {
    return asio::co_spawn(executor, std::move(work), ex::deferred);
}

}  // namespace

asio::awaitable<void> both(asio::awaitable<void> a, asio::awaitable<void> b) {
    const auto here = co_await asio::this_coro::executor;
    auto group = ex::make_parallel_group(started(here, std::move(a)), started(here, std::move(b)));
    auto [order, first, second] = co_await std::move(group).async_wait(ex::wait_for_one_error(), asio::use_awaitable);
    if (order[0] == 1) std::swap(first, second);  // now in the order they ended
    rethrow(first);
    rethrow(second);
}

asio::awaitable<void> first_of(asio::awaitable<void> a, asio::awaitable<void> b) {
    const auto here = co_await asio::this_coro::executor;
    auto group = ex::make_parallel_group(started(here, std::move(a)), started(here, std::move(b)));
    const auto [order, first, second] = co_await std::move(group).async_wait(ex::wait_for_one(), asio::use_awaitable);
    rethrow(order[0] == 0 ? first : second);
}

asio::awaitable<void> first_of(asio::awaitable<void> a, FailureEvent& event) {
    const auto here = co_await asio::this_coro::executor;
    auto group = ex::make_parallel_group(started(here, std::move(a)), event.timer().async_wait(ex::deferred));
    const auto [order, failure, rung] = co_await std::move(group).async_wait(ex::wait_for_one(), asio::use_awaitable);
    if (order[0] == 1) event.throw_end();
    rethrow(failure);
}

asio::awaitable<void> first_of(asio::awaitable<void> a, asio::awaitable<void> b, FailureEvent& event) {
    const auto here = co_await asio::this_coro::executor;
    auto group = ex::make_parallel_group(started(here, std::move(a)), started(here, std::move(b)),
                                         event.timer().async_wait(ex::deferred));
    const auto [order, first, second, rung] =
        co_await std::move(group).async_wait(ex::wait_for_one(), asio::use_awaitable);
    if (order[0] == 2) event.throw_end();
    rethrow(order[0] == 0 ? first : second);
}

asio::awaitable<void> forever() {
    asio::steady_timer never(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await never.async_wait(asio::use_awaitable);
}

asio::awaitable<void> with_timeout(asio::awaitable<void> work, Clock::duration limit, Clock& clock) {
    const auto here = co_await asio::this_coro::executor;
    const auto deadline = clock.now() + limit;
    const auto alarm = clock.alarm(here, deadline);
    auto group = ex::make_parallel_group(started(here, std::move(work)), alarm->async_wait(ex::deferred));
    const auto [order, failure, rung] = co_await std::move(group).async_wait(ex::wait_for_one(), asio::use_awaitable);
    if (order[0] == 1)
        throw std::system_error(clock.now() < deadline ? asio::error::operation_aborted : asio::error::timed_out);
    rethrow(failure);
}

}  // namespace device_streams
