#pragma once

#include "common/async/event.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/post.hpp>

#include <functional>
#include <list>
#include <memory>
#include <optional>
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
            state->arrival.wake();
        };
        asio::post(state_->home, std::move(drop_in));
    }

    /// The next message; throws operation_aborted when the coroutine is cancelled before one is there.
    asio::awaitable<Message> next() const {
        const auto state = state_;
        while (state->waiting.empty()) co_await state->arrival.wait();
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
        Event arrival;               // used on the home strand only, as is what follows
        std::list<Message> waiting;  // takes no memory while it is empty, as a deque would
        std::function<void(Message)> take;
    };
    std::shared_ptr<State> state_;
};

}  // namespace device_streams::hub
