#pragma once

#include "common/async/failure_event.hpp"
#include "common/base/clock.hpp"

#include <asio/awaitable.hpp>

#include <optional>
#include <utility>

namespace device_streams {

/// Runs both to the end. The first failure cancels the other and is rethrown once both have ended.
asio::awaitable<void> both(asio::awaitable<void> a, asio::awaitable<void> b);

/// The first to end, well or badly, cancels the others and decides; returns (or throws) once all have ended. Each costs
/// more than a kilobyte while it runs, and nesting doubles that.
asio::awaitable<void> first_of(asio::awaitable<void> a, asio::awaitable<void> b);

/// The same with an `event` instead of a further coroutine: its failure cancels the others, and is thrown once they
/// have ended.
asio::awaitable<void> first_of(asio::awaitable<void> a, FailureEvent& event);
asio::awaitable<void> first_of(asio::awaitable<void> a, asio::awaitable<void> b, FailureEvent& event);

/// Waits for its cancellation.
asio::awaitable<void> forever();

/// Runs `work`; cancels it and throws Failure/system_error(timed_out) when it takes longer than `limit`.
asio::awaitable<void> with_timeout(asio::awaitable<void> work, Clock::duration limit, Clock& clock);

/// Work that leaves its value in `result`, for first_of().
template <typename T>
asio::awaitable<void> store(asio::awaitable<T> work, std::optional<T>& result) {
    result.emplace(co_await std::move(work));
}

/// with_timeout for work that returns a value.
template <typename T>
asio::awaitable<T> with_timeout(asio::awaitable<T> work, Clock::duration limit, Clock& clock) {
    std::optional<T> result;
    co_await with_timeout(store(std::move(work), result), limit, clock);
    co_return std::move(*result);
}

}  // namespace device_streams
