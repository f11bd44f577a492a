#pragma once

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <exception>
#include <optional>

namespace device_streams::test {

/// Runs a coroutine step by step on an io_context of the test: start, poll(), look, cancel, poll() ...
template <typename T>
class Running {
 public:
    Running(asio::io_context& io, asio::awaitable<T> work) {
        auto store = [this](std::exception_ptr error, T value) {
            done_ = true;
            failure_ = error;
            value_.emplace(std::move(value));
        };
        asio::co_spawn(io, std::move(work), asio::bind_cancellation_slot(signal_.slot(), std::move(store)));
    }
    bool done() const { return done_; }
    std::exception_ptr failure() const { return failure_; }
    /// The result; rethrows what left the coroutine.
    T& get() {
        if (failure_) std::rethrow_exception(failure_);
        return value_.value();
    }
    void cancel() { signal_.emit(asio::cancellation_type::terminal); }

 private:
    asio::cancellation_signal signal_;
    bool done_ = false;
    std::exception_ptr failure_;
    std::optional<T> value_;
};

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
    void get() {
        if (failure_) std::rethrow_exception(failure_);
    }
    void cancel() { signal_.emit(asio::cancellation_type::terminal); }

 private:
    asio::cancellation_signal signal_;
    bool done_ = false;
    std::exception_ptr failure_;
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
    while (!running.done() && io.run_one() > 0) {}
    return running.get();
}

}  // namespace device_streams::test
