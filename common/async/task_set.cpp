#include "common/async/task_set.hpp"

#include "common/async/join.hpp"
#include "common/base/error.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

namespace device_streams {

struct TaskSet::Task {
    explicit Task(Strand where) : strand(std::move(where)) {}
    Strand strand;
    Interruption interruption;  // used on the strand only
    bool over = false;          // likewise

    void cancel() {
        if (!over) interruption.cancel();
    }
    // The coroutine says on its own strand when it is over: a signal emitted after that would reach a dead frame.
    struct End {
        Task& task;
        ~End() { task.over = true; }
    };
};

asio::awaitable<void> TaskSet::run(asio::awaitable<void> work, std::shared_ptr<Task> task) {
    const Task::End end{*task};
    co_await std::move(work);
}

asio::awaitable<void> TaskSet::run_on(Beginning beginning, std::shared_ptr<Task> task) {
    const Task::End end{*task};
    const auto next = co_await std::move(beginning);
    if (next) co_await next->run(task->interruption);
}

void TaskSet::spawn(asio::awaitable<void> task) {
    spawn(make_strand(), std::move(task));
}

void TaskSet::spawn(Strand strand, asio::awaitable<void> work) {
    const auto task = std::make_shared<Task>(std::move(strand));
    start(task, run(std::move(work), task));
}

void TaskSet::spawn_stoppable(Strand strand, const std::function<Beginning(Stop)>& make) {
    const auto task = std::make_shared<Task>(std::move(strand));
    auto stop = [task](std::function<bool()> still_wanted) {
        asio::post(task->strand, [task, still_wanted = std::move(still_wanted)] {
            if (!task->over && still_wanted()) task->cancel();
        });
    };
    start(task, run_on(make(std::move(stop)), task));
}

void TaskSet::start(const std::shared_ptr<Task>& task, asio::awaitable<void> body) {
    std::list<std::shared_ptr<Task>> entry{task};
    const auto where = entry.begin();
    // Posted, so that slot and coroutine are touched on the strand alone.
    auto begin = [this, task, where, body = std::move(body)]() mutable {
        auto at_end = [this, where](std::exception_ptr failure) { ended(where, failure); };
        asio::co_spawn(task->strand, std::move(body),
                       asio::bind_cancellation_slot(task->interruption.slot(), std::move(at_end)));
    };
    const std::lock_guard lock(mutex_);  // held, so that it does not end before it is in the list
    asio::post(task->strand, std::move(begin));
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
        asio::post(task->strand, [task] { task->cancel(); });
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
