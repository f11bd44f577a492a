#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

namespace device_streams::hub {

/// Messages to one coroutine, posted from any strand and taken in order on the coroutine's own. A cheap handle: copies
/// name the same box, so a sender may outlive the receiver.
template <typename Message>
class Channel {
 public:
    /// `home` is the strand of the coroutine that takes the messages.
    explicit Channel(const asio::any_io_executor& home) : state_(std::make_shared<State>(home)) {}

    void post(Message message) const {
        auto drop_in = [state = state_, message = std::move(message)]() mutable {
            if (state->take) return state->take(std::move(message));
            state->waiting.push_back(std::move(message));
            state->arrival.cancel();
        };
        asio::post(state_->home, std::move(drop_in));
    }

    /// The next message; throws operation_aborted when the coroutine is cancelled before one is there.
    asio::awaitable<Message> next() const {
        const auto state = state_;
        while (state->waiting.empty()) {
            asio::error_code woken;
            state->arrival.expires_at(asio::steady_timer::time_point::max());
            co_await state->arrival.async_wait(asio::redirect_error(asio::use_awaitable, woken));
            const auto cancellation = co_await asio::this_coro::cancellation_state;
            if (state->waiting.empty() && cancellation.cancelled() != asio::cancellation_type::none)
                throw std::system_error(asio::error::operation_aborted);
        }
        co_return std::move(*try_next());
    }

    /// What has arrived but was not taken.
    std::optional<Message> try_next() const {
        if (state_->waiting.empty()) return std::nullopt;
        std::optional<Message> message(std::move(state_->waiting.front()));
        state_->waiting.pop_front();
        return message;
    }

    /// Instead of next(): each message goes to `take`, on the home strand, for as long as the result lives. Those that
    /// wait go at once. `take` does not drop the result.
    [[nodiscard]] std::shared_ptr<void> deliver_to(std::function<void(Message)> take) const {
        state_->take = std::move(take);
        while (auto message = try_next()) state_->take(std::move(*message));
        return {nullptr, [state = state_](void*) { state->take = nullptr; }};
    }

 private:
    struct State {
        explicit State(const asio::any_io_executor& executor) : home(executor), arrival(executor) {}
        asio::any_io_executor home;
        asio::steady_timer arrival;  // used on the home strand only, as is what follows
        std::list<Message> waiting;  // takes no memory while it is empty, as a deque would
        std::function<void(Message)> take;
    };
    std::shared_ptr<State> state_;
};

}  // namespace device_streams::hub
