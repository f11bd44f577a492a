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

template <typename Condition>
asio::awaitable<void> join(asio::awaitable<void> a, asio::awaitable<void> b, Condition cancel_rest,
                           bool first_decides) {
    const auto executor = co_await asio::this_coro::executor;
    auto group = ex::make_parallel_group(asio::co_spawn(executor, std::move(a), ex::deferred),
                                         asio::co_spawn(executor, std::move(b), ex::deferred));
    auto [order, first, second] = co_await std::move(group).async_wait(cancel_rest, asio::use_awaitable);
    if (order[0] == 1) std::swap(first, second);  // now in the order they ended
    if (first) std::rethrow_exception(first);
    if (second && !first_decides) std::rethrow_exception(second);
}

asio::awaitable<void> expire(Clock::duration limit, Clock& clock) {
    co_await clock.sleep_for(limit);
    throw std::system_error(asio::error::timed_out);
}

}  // namespace

asio::awaitable<void> both(asio::awaitable<void> a, asio::awaitable<void> b) {
    return join(std::move(a), std::move(b), ex::wait_for_one_error(), false);
}

asio::awaitable<void> first_of(asio::awaitable<void> a, asio::awaitable<void> b) {
    return join(std::move(a), std::move(b), ex::wait_for_one(), true);
}

asio::awaitable<void> forever() {
    asio::steady_timer never(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await never.async_wait(asio::use_awaitable);
}

asio::awaitable<void> with_timeout(asio::awaitable<void> work, Clock::duration limit, Clock& clock) {
    return first_of(std::move(work), expire(limit, clock));
}

}  // namespace device_streams
