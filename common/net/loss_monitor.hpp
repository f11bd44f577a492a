#pragma once

#include "common/async/failure_event.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/this_coro.hpp>

#include <exception>
#include <functional>
#include <memory>

namespace device_streams {

/// Told what a leg was lost by: a StreamError, or operation_aborted when it was closed on this side. Never drops the
/// watch.
using OnLost = std::function<void(std::exception_ptr)>;

/// A leg is watched for as long as this lives. It is dropped before the leg, and on the strand it was made for.
using LossMonitor = std::shared_ptr<void>;

/// For a caller whose own operation on the leg throws the failure; the watch only wakes it.
inline void ignore_loss(const std::exception_ptr&) {
}

/// Waits beside the users of a leg. Never returns; throws what an OnLost is told.
template <typename Leg>
asio::awaitable<void> wait_until_lost(Leg& leg) {
    const auto strand = co_await asio::this_coro::executor;
    FailureEvent event(strand);
    const LossMonitor watching = leg.watch(strand, [&event](const std::exception_ptr& why) { event.ring(why); });
    co_await event.wait();
}

}  // namespace device_streams
