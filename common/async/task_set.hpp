#pragma once

#include "common/async/interruption.hpp"
#include "common/base/clock.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>

namespace device_streams {

/// A strand of its own for one connection.
using Strand = asio::strand<asio::any_io_executor>;

/// What a task goes on as when the coroutine that began it has returned. What that one held, and all that it waited in,
/// is gone by then: a task that is idle for long is small.
class Continuation {
 public:
    virtual ~Continuation() = default;
    /// `interruption` is that of the task.
    virtual asio::awaitable<void> run(Interruption& interruption) = 0;
};

/// The sessions that run at a time: spawns each on a strand, stops them politely (the caller asks them) and then by
/// cancellation, and waits until none is left. All members may be called from any thread. It must outlive its tasks:
/// await until_empty() before dropping it.
class TaskSet {
 public:
    /// Called with what left a task.
    using OnFailure = std::function<void(std::exception_ptr)>;
    explicit TaskSet(
        asio::any_io_executor executor, OnFailure on_failure = [](std::exception_ptr) {})
        : executor_(std::move(executor)), on_failure_(std::move(on_failure)) {}
    TaskSet(const TaskSet&) = delete;
    TaskSet& operator=(const TaskSet&) = delete;

    /// Runs `task` on a new strand. Exceptions that leave a task go to OnFailure (cancellation does not).
    void spawn(asio::awaitable<void> task);
    /// Runs what `make(strand)` returns on `strand`; use it when the task needs its strand beforehand.
    void spawn(Strand strand, asio::awaitable<void> task);
    /// Ends one task by terminal cancellation, on its strand and only if `still_wanted` says so there. Any thread, also
    /// when the task is over.
    using Stop = std::function<void(std::function<bool()> still_wanted)>;
    /// Runs what `make` returns for the task's Stop, and then what that goes on as; nullptr: nothing.
    using Beginning = asio::awaitable<std::unique_ptr<Continuation>>;
    void spawn_stoppable(Strand strand, const std::function<Beginning(Stop)>& make);
    Strand make_strand() const { return asio::make_strand(executor_); }

    std::size_t size() const;
    /// Emits terminal cancellation in every task, on the task's strand. Tasks spawned later are not touched.
    void cancel_all();
    /// Returns when the set is empty.
    asio::awaitable<void> until_empty();
    /// As until_empty, but gives up after `limit`; true when the set is empty.
    asio::awaitable<bool> until_empty_within(Clock::duration limit, Clock& clock);

 private:
    struct Task;
    void start(const std::shared_ptr<Task>& task, asio::awaitable<void> body);
    static asio::awaitable<void> run(asio::awaitable<void> work, std::shared_ptr<Task> task);
    static asio::awaitable<void> run_on(Beginning beginning, std::shared_ptr<Task> task);
    void ended(std::list<std::shared_ptr<Task>>::iterator where, std::exception_ptr failure);

    asio::any_io_executor executor_;
    const OnFailure on_failure_;
    mutable std::mutex mutex_;  // start and end of sessions only, never per byte
    std::list<std::shared_ptr<Task>> tasks_;
    std::list<std::shared_ptr<asio::steady_timer>> waiting_for_empty_;
};

}  // namespace device_streams
