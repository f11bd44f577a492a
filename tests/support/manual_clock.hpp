#pragma once

#include "common/base/clock.hpp"

#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <list>
#include <memory>
#include <mutex>

namespace device_streams::test {

/// Time that stands still until a test moves it. Sleepers whose deadline has come wake at the next run of their
/// executor.
class ManualClock final : public Clock {
 public:
    time_point now() const override {
        const std::lock_guard lock(mutex_);
        return now_;
    }
    wall_time wall_now() const override {
        const std::lock_guard lock(mutex_);
        return wall_;
    }

    asio::awaitable<void> sleep_until(time_point deadline) override {
        if (now() >= deadline) co_return;
        const auto executor = co_await asio::this_coro::executor;
        auto sleeper = std::make_shared<Sleeper>(executor, deadline);
        remember(sleeper);
        asio::error_code woken;
        co_await sleeper->timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        forget(sleeper);
        if (!sleeper->due) throw std::system_error(asio::error::operation_aborted);
    }

    void advance(duration step) {
        const std::lock_guard lock(mutex_);
        now_ += step;
        wall_ += std::chrono::duration_cast<wall_time::duration>(step);
        for (auto& sleeper : sleepers_) {
            if (sleeper->deadline > now_) continue;
            sleeper->due = true;
            sleeper->timer.cancel();
        }
    }
    void set_wall(std::int64_t unix_seconds) {
        const std::lock_guard lock(mutex_);
        wall_ = wall_time(std::chrono::seconds(unix_seconds));
    }
    /// For a clock that outlives the io_context of its sleepers: call it while both live.
    void forget_sleepers() {
        const std::lock_guard lock(mutex_);
        sleepers_.clear();
    }
    std::size_t sleepers() const {
        const std::lock_guard lock(mutex_);
        return sleepers_.size();
    }

 private:
    struct Sleeper {
        Sleeper(const asio::any_io_executor& executor, time_point when)
            : timer(executor, asio::steady_timer::time_point::max()), deadline(when) {}
        asio::steady_timer timer;
        time_point deadline;
        bool due = false;
    };
    void remember(const std::shared_ptr<Sleeper>& sleeper) {
        const std::lock_guard lock(mutex_);
        sleepers_.push_back(sleeper);
    }
    void forget(const std::shared_ptr<Sleeper>& sleeper) {
        const std::lock_guard lock(mutex_);
        sleepers_.remove(sleeper);
    }

    mutable std::mutex mutex_;
    time_point now_{std::chrono::hours(1)};
    wall_time wall_{std::chrono::seconds(1'767'225'600)};  // 2026-01-01
    std::list<std::shared_ptr<Sleeper>> sleepers_;
};

}  // namespace device_streams::test
