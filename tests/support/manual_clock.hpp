#pragma once

#include "common/base/clock.hpp"

#include <list>
#include <memory>
#include <mutex>

namespace device_streams::test {

/// Time that stands still until a test moves it. Sleepers whose deadline has come wake at the next run of their
/// executor.
class ManualClock final : public Clock {
 public:
    time_point now() const override {
        const std::lock_guard lock(pending_->mutex);
        return pending_->now;
    }
    wall_time wall_now() const override {
        const std::lock_guard lock(pending_->mutex);
        return wall_;
    }

    std::shared_ptr<asio::steady_timer> alarm(const asio::any_io_executor& executor, time_point deadline) override {
        const auto forget = [pending = pending_](Sleeper* sleeper) {
            {
                const std::lock_guard lock(pending->mutex);
                pending->sleepers.remove(sleeper);
            }
            delete sleeper;
        };
        const std::shared_ptr<Sleeper> sleeper(new Sleeper(executor, deadline), forget);
        const std::lock_guard lock(pending_->mutex);
        pending_->sleepers.push_back(sleeper.get());
        if (deadline <= pending_->now) sleeper->timer.expires_at(time_point());
        return {sleeper, &sleeper->timer};
    }

    void advance(duration step) {
        const std::lock_guard lock(pending_->mutex);
        pending_->now += step;
        wall_ += std::chrono::duration_cast<wall_time::duration>(step);
        for (auto* sleeper : pending_->sleepers)
            if (sleeper->deadline <= pending_->now) sleeper->timer.expires_at(time_point());
    }
    void set_wall(std::int64_t unix_seconds) {
        const std::lock_guard lock(pending_->mutex);
        wall_ = wall_time(std::chrono::seconds(unix_seconds));
    }
    std::size_t sleepers() const {
        const std::lock_guard lock(pending_->mutex);
        return pending_->sleepers.size();
    }

 private:
    struct Sleeper {
        Sleeper(const asio::any_io_executor& executor, time_point when)
            : timer(executor, time_point::max()), deadline(when) {}
        asio::steady_timer timer;
        time_point deadline;
    };
    // Shared with the sleepers, which may outlive the clock.
    struct Pending {
        std::mutex mutex;
        time_point now{std::chrono::hours(1)};
        std::list<Sleeper*> sleepers;
    };

    wall_time wall_{std::chrono::seconds(1'767'225'600)};  // 2026-01-01
    const std::shared_ptr<Pending> pending_ = std::make_shared<Pending>();
};

}  // namespace device_streams::test
