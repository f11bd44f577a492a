#pragma once

#include "common/async/task_set.hpp"

#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace device_streams {

/// Runs `function` on `strand` and comes back with its result, or with what it threw, to the strand of the caller. Not
/// cancellable: the function has been run when this returns.
template <typename Function>
asio::awaitable<std::invoke_result_t<Function&>> run_on(Strand strand, Function function) {
    std::optional<std::invoke_result_t<Function&>> result;
    std::exception_ptr failure;
    auto initiate = [&](auto handler) {
        auto there = [&result, &failure, &function, handler = std::move(handler)]() mutable {
            try {
                result.emplace(function());
            } catch (...) {
                failure = std::current_exception();
            }
            const auto home = asio::get_associated_executor(handler);
            asio::post(home, std::move(handler));
        };
        asio::post(strand, std::move(there));
    };
    co_await asio::async_initiate<decltype(asio::use_awaitable), void()>(initiate, asio::use_awaitable);
    if (failure) std::rethrow_exception(failure);
    co_return std::move(*result);
}

}  // namespace device_streams
