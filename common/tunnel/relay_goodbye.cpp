#include "common/tunnel/relay_goodbye.hpp"

#include "common/async/failure_event.hpp"
#include "common/async/join.hpp"
#include "common/async/poll_timer.hpp"

#include <asio/error.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>
#include <memory>
#include <optional>

namespace device_streams {

namespace {

// How long a goodbye may take that a peer is still taking bytes before.
class Patience {
 public:
    Patience(const RelayState& state, std::size_t undelivered) : state_(state), least_(undelivered) { renew(); }

    /// When to look again at a peer that has yet to take so many bytes; nullopt: it is given up.
    std::optional<Clock::time_point> look(std::size_t undelivered) {
        if (undelivered < least_) renew();
        least_ = std::min(least_, undelivered);
        if (undelivered == 0 || state_.clock.now() >= end_) return std::nullopt;
        return state_.clock.now() + state_.limits.goodbye;
    }

 private:
    void renew() {
        const auto now = state_.clock.now();
        const auto& limits = state_.limits.stream;
        end_ = limits.stall_timeout ? now + *limits.stall_timeout : Clock::time_point::max();
        if (limits.max_lifetime) end_ = std::min(end_, state_.start + *limits.max_lifetime);
        if (state_.is_cut()) end_ = now;
    }

    const RelayState& state_;
    Clock::time_point end_{};
    std::size_t least_;
};

// A goodbye has its time, but a peer that still takes what it was sent is waited for, unless the stream was cut. What
// the peer had to say against a clean one.
asio::awaitable<std::optional<StreamError>> close_leg(ByteStream& stream, CloseReason close_reason,
                                                      const RelayState& state) {
    const auto strand = co_await asio::this_coro::executor;
    FailureEvent late(strand);
    Patience patience(state, stream.undelivered());
    auto look = [&]() -> std::optional<Clock::time_point> {
        const auto next = patience.look(stream.undelivered());
        if (!next) late.ring(std::make_exception_ptr(std::system_error(asio::error::timed_out)));
        return next;
    };
    const auto looks = std::make_shared<PollTimer>(state.clock, strand, look);
    looks->look_at(state.clock.now() + state.limits.goodbye);
    try {
        co_await first_of(stream.close(close_reason), late);
    } catch (const StreamError& objection) {
        co_return objection;
    } catch (const std::exception&) {
        // The goodbye is best effort: the stream is over either way and its owner drops it now.
    }
    co_return std::nullopt;
}

asio::awaitable<void> close_quietly(ByteStream& stream, CloseReason close_reason, const RelayState& state) {
    co_await close_leg(stream, close_reason, state);
}

}  // namespace

asio::awaitable<void> close_legs(Leg left, Leg right, RelayState& state, CloseReason told) {
    if (state.failed &&
        (state.result.close_reason == CloseReason::lost || state.result.close_reason == CloseReason::reset)) {
        const auto& broken = state.result.left_caused ? left : right;
        const auto& other = state.result.left_caused ? right : left;
        broken.stream.abort(state.result.close_reason);
        co_await close_quietly(other.stream, told, state);
    } else if (told == CloseReason::clean && state.limits.left_is_local) {
        const auto objection = co_await close_leg(right.stream, told, state);
        state.decided = false;
        if (objection) state.note_failure(right.is_left, *objection);
        co_await close_quietly(left.stream, state.result.close_reason, state);
    } else {
        auto first = close_quietly(left.stream, told, state);
        auto second = close_quietly(right.stream, told, state);
        co_await both(std::move(first), std::move(second));
    }
}

}  // namespace device_streams
