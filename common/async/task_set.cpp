#include "common/async/task_set.hpp"

#include "common/async/join.hpp"
#include "common/base/error.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

namespace device_streams {

struct TaskSet::Task {
    explicit Task(Strand where) : strand(std::move(where)) {}
    Strand strand;
    asio::cancellation_signal signal;  // used on the strand only
    bool over = false;                 // likewise
};

// The coroutine says on its own strand when it is over: a signal emitted after that would reach a dead frame.
asio::awaitable<void> TaskSet::run(asio::awaitable<void> work, std::shared_ptr<Task> task) {
    std::exception_ptr failure;
    try {
        co_await std::move(work);
    } catch (...) {
        failure = std::current_exception();
    }
    task->over = true;
    if (failure) std::rethrow_exception(failure);
}

void TaskSet::spawn(asio::awaitable<void> task) {
    spawn(make_strand(), std::move(task));
}

void TaskSet::spawn(Strand strand, asio::awaitable<void> work) {
    start(std::make_shared<Task>(std::move(strand)), std::move(work));
}

void TaskSet::spawn_stoppable(Strand strand, const std::function<asio::awaitable<void>(Stop)>& make) {
    const auto task = std::make_shared<Task>(std::move(strand));
    auto stop = [task](std::function<bool()> still_wanted) {
        asio::post(task->strand, [task, still_wanted = std::move(still_wanted)] {
            if (!task->over && still_wanted()) task->signal.emit(asio::cancellation_type::terminal);
        });
    };
    start(task, make(std::move(stop)));
}

void TaskSet::start(std::shared_ptr<Task> task, asio::awaitable<void> work) {
    const auto strand = task->strand;
    std::list<std::shared_ptr<Task>> entry{task};
    const auto where = entry.begin();
    // Posted, so that slot and coroutine are touched on the strand alone.
    auto begin = [this, task, where, body = run(std::move(work), task)]() mutable {
        auto at_end = [this, where](std::exception_ptr failure) { ended(where, failure); };
        asio::co_spawn(task->strand, std::move(body),
                       asio::bind_cancellation_slot(task->signal.slot(), std::move(at_end)));
    };
    const std::lock_guard lock(mutex_);  // held, so that it does not end before it is in the list
    asio::post(strand, std::move(begin));
    tasks_.splice(tasks_.end(), entry);
}

void TaskSet::ended(std::list<std::shared_ptr<Task>>::iterator where, std::exception_ptr failure) {
    if (failure && !is_cancellation(failure)) on_failure_(failure);
    decltype(waiting_for_empty_) woken;
    {
        const std::lock_guard lock(mutex_);
        tasks_.erase(where);
        if (tasks_.empty()) woken.swap(waiting_for_empty_);
    }
    // A waiter that is woken may drop the set at once, on another thread.
    for (auto& timer : woken) asio::post(timer->get_executor(), [timer] { timer->cancel(); });
}

std::size_t TaskSet::size() const {
    const std::lock_guard lock(mutex_);
    return tasks_.size();
}

void TaskSet::cancel_all() {
    const std::lock_guard lock(mutex_);
    for (const auto& task : tasks_) {
        asio::post(task->strand, [task] {
            if (!task->over) task->signal.emit(asio::cancellation_type::terminal);
        });
    }
}

asio::awaitable<void> TaskSet::until_empty() {
    const auto executor = co_await asio::this_coro::executor;
    auto timer = std::make_shared<asio::steady_timer>(executor, asio::steady_timer::time_point::max());
    {
        const std::lock_guard lock(mutex_);
        if (tasks_.empty()) co_return;
        waiting_for_empty_.push_back(timer);
    }
    asio::error_code woken;
    co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) {
        const std::lock_guard lock(mutex_);
        waiting_for_empty_.remove(timer);
    }
}

asio::awaitable<bool> TaskSet::until_empty_within(Clock::duration limit, Clock& clock) {
    co_await first_of(until_empty(), clock.sleep_for(limit));
    co_return size() == 0;
}

}  // namespace device_streams
