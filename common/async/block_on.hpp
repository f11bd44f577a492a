#pragma once

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace device_streams {

namespace detail {
// One for the life of the thread: a registry's own thread may still be inside post() when its answer has already been
// taken here, so the io_context must outlive the registry and not merely the call.
inline asio::io_context& thread_io() {
    thread_local asio::io_context io(1);
    io.restart();
    return io;
}
}  // namespace detail

/// Runs a coroutine to its end on the calling thread, for command lines and tests. Rethrows what leaves it. Not from
/// inside another block_on.
template <typename T>
T block_on(asio::awaitable<T> work) {
    auto& io = detail::thread_io();
    std::exception_ptr failure;
    std::optional<T> result;
    asio::co_spawn(io, std::move(work), [&](std::exception_ptr thrown, T value) {
        failure = std::move(thrown);
        if (!failure) result.emplace(std::move(value));
    });
    io.run();
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
}

inline void block_on(asio::awaitable<void> work) {
    auto& io = detail::thread_io();
    std::exception_ptr failure;
    asio::co_spawn(io, std::move(work), [&](std::exception_ptr thrown) { failure = std::move(thrown); });
    io.run();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace device_streams
