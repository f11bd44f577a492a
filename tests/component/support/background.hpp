#pragma once

#include "common/app/run.hpp"
#include "common/base/error.hpp"
#include "tests/support/captured_log.hpp"

#include <asio/co_spawn.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>
#include <asio/use_future.hpp>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace device_streams::test {

/// How many threads run the components of a test: DS_TEST_THREADS, or one.
inline int test_threads() {
    const char* text = std::getenv("DS_TEST_THREADS");
    return text != nullptr ? std::max(1, std::atoi(text)) : 1;
}

/// An io_context that runs in the background, so that the test itself can be a plain blocking program.
class Background {
 public:
    Background() : io(test_threads()), work_(io.get_executor()) {
        for (int i = 0; i < test_threads(); ++i) threads_.emplace_back([this] { io.run(); });
    }
    ~Background() { stop(); }
    void stop() {
        work_.reset();
        io.stop();
        threads_.clear();
    }

    /// Runs a coroutine on a strand of its own and waits for it, 30 s at most.
    template <typename T>
    T wait_for(asio::awaitable<T> work) {
        return wait_for(asio::make_strand(asio::any_io_executor(io.get_executor())), std::move(work));
    }
    template <typename T, typename Strand>
    T wait_for(const Strand& strand, asio::awaitable<T> work) {
        const auto outcome = std::make_shared<Outcome<T>>();
        auto done = asio::co_spawn(strand, keep(std::move(work), outcome), asio::use_future);
        if (done.wait_for(std::chrono::seconds(30)) != std::future_status::ready)
            throw std::runtime_error("a coroutine took more than 30 s");
        // The strand drops its reference to what was thrown before the test's thread looks at it: the count itself is
        // atomic, but ThreadSanitizer cannot see that inside libstdc++.
        asio::post(strand, asio::use_future).wait();
        if (outcome->failure) std::rethrow_exception(outcome->failure);
        if constexpr (!std::is_void_v<T>) return std::move(*outcome->value);
    }

    asio::io_context io;

 private:
    // What was thrown stays here: a future would drop it on a thread of its own.
    template <typename T>
    struct Outcome {
        std::exception_ptr failure;
        std::optional<std::conditional_t<std::is_void_v<T>, char, T>> value;
    };
    template <typename T>
    static asio::awaitable<void> keep(asio::awaitable<T> work, std::shared_ptr<Outcome<T>> outcome) {
        try {
            if constexpr (std::is_void_v<T>)
                co_await std::move(work);
            else
                outcome->value.emplace(co_await std::move(work));
        } catch (...) {
            outcome->failure = std::current_exception();
        }
    }

    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::vector<std::jthread> threads_;
};

/// Waits until `condition` holds; false after 60 s. For things that another thread brings about.
inline bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

/// A component on a strand of its own, as run() does it but without signals and exit codes.
template <typename Program>
class RunningProgram {
 public:
    template <typename... Arguments>
    explicit RunningProgram(Background& background, const std::shared_ptr<CapturedLog>& lines, Arguments&&... arguments)
        : background_(background),
          control_(asio::make_strand(asio::any_io_executor(background.io.get_executor()))),
          program_(std::make_unique<Program>(Environment{background.io, clock_, Log(lines, LogLevel::debug)},
                                             std::forward<Arguments>(arguments)...)) {
        background_.wait_for(control_, program_->start());
    }
    ~RunningProgram() { stop(); }

    /// Calls `action` on the control strand and waits for it; rethrows what it throws.
    void on_control(std::function<void(Program&)> action) { background_.wait_for(control_, call(std::move(action))); }
    /// Ends everything.
    void stop() {
        if (!program_) return;
        on_control([](Program& program) {
            program.stop_accepting();
            program.cancel();
        });
        background_.wait_for(control_, program_->until_done());
        program_.reset();
    }
    Program& operator*() { return *program_; }
    Program* operator->() { return program_.get(); }

 private:
    asio::awaitable<void> call(std::function<void(Program&)> action) {
        action(*program_);
        co_return;
    }
    Background& background_;
    SystemClock clock_;
    asio::strand<asio::any_io_executor> control_;
    std::unique_ptr<Program> program_;
};

}  // namespace device_streams::test
