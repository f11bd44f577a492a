#pragma once

#include <asio/awaitable.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <list>
#include <memory>
#include <mutex>

namespace device_streams::hub {

/// Tells coroutines on any strand, once, that no new work is taken. It outlives those that wait.
class ShutdownSignal {
 public:
    void announce() {
        const std::lock_guard lock(mutex_);
        announced_ = true;
        for (const auto& timer : waiting_) asio::post(timer->get_executor(), [timer] { timer->cancel(); });
    }
    bool announced() const {
        const std::lock_guard lock(mutex_);
        return announced_;
    }
    /// Returns at once if it was announced before.
    asio::awaitable<void> until_announced() {
        const auto executor = co_await asio::this_coro::executor;
        const auto timer = std::make_shared<asio::steady_timer>(executor, asio::steady_timer::time_point::max());
        const Waiting waiting(*this, timer);
        if (announced()) co_return;
        asio::error_code woken;
        co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }

 private:
    class Waiting {
     public:
        Waiting(ShutdownSignal& notice, std::shared_ptr<asio::steady_timer> timer) : notice_(notice) {
            const std::lock_guard lock(notice.mutex_);
            where_ = notice.waiting_.insert(notice.waiting_.end(), std::move(timer));
        }
        Waiting(const Waiting&) = delete;
        Waiting& operator=(const Waiting&) = delete;
        ~Waiting() {
            const std::lock_guard lock(notice_.mutex_);
            notice_.waiting_.erase(where_);
        }

     private:
        ShutdownSignal& notice_;
        std::list<std::shared_ptr<asio::steady_timer>>::iterator where_;
    };

    mutable std::mutex mutex_;
    bool announced_ = false;
    std::list<std::shared_ptr<asio::steady_timer>> waiting_;
};

}  // namespace device_streams::hub
