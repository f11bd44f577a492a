#pragma once

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace device_streams::test {

/// Runs a coroutine step by step on an io_context of the test: start, poll(), look, cancel, poll() ...
template <typename T>
class Running;

template <>
class Running<void> {
 public:
    Running(asio::io_context& io, asio::awaitable<void> work) {
        auto store = [this](std::exception_ptr error) {
            done_ = true;
            failure_ = error;
        };
        asio::co_spawn(io, std::move(work), asio::bind_cancellation_slot(signal_.slot(), std::move(store)));
    }
    bool done() const { return done_; }
    std::exception_ptr failure() const { return failure_; }
    /// Rethrows what left the coroutine.
    void get() {
        if (failure_) std::rethrow_exception(failure_);
    }
    void cancel() { signal_.emit(asio::cancellation_type::terminal); }

 private:
    asio::cancellation_signal signal_;
    bool done_ = false;
    std::exception_ptr failure_;
};

template <typename T>
class Running {
 public:
    Running(asio::io_context& io, asio::awaitable<T> work) : running_(io, keep(std::move(work), value_)) {}
    bool done() const { return running_.done(); }
    std::exception_ptr failure() const { return running_.failure(); }
    /// The result; rethrows what left the coroutine.
    T& get() {
        running_.get();
        return value_.value();
    }
    void cancel() { running_.cancel(); }

 private:
    static asio::awaitable<void> keep(asio::awaitable<T> work, std::optional<T>& value) {
        value.emplace(co_await std::move(work));
    }
    std::optional<T> value_;
    Running<void> running_;
};

/// Lets everything that is ready run; never blocks.
inline void poll(asio::io_context& io) {
    io.restart();
    while (io.poll() > 0) io.restart();
}

/// Runs a coroutine to its end on a fresh run of `io`; for tests with real sockets.
template <typename T>
T run(asio::io_context& io, asio::awaitable<T> work) {
    Running<T> running(io, std::move(work));
    io.restart();
    while (!running.done() && io.run_one() > 0) {
    }
    if constexpr (std::is_void_v<T>) {
        running.get();
    } else {
        return std::move(running.get());
    }
}

}  // namespace device_streams::test
