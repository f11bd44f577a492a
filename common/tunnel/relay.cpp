#include "common/tunnel/relay.hpp"

#include "common/async/failure_event.hpp"
#include "common/async/join.hpp"
#include "common/tunnel/chunk.hpp"
#include "common/tunnel/relay_goodbye.hpp"
#include "common/tunnel/relay_state.hpp"

#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>

namespace device_streams {

namespace {

constexpr int chunks_per_turn = 8;  // then other streams of the thread have theirs
// Behind a shorter piece there is rarely more at once: looking for it would be in vain.
constexpr std::size_t last_of_many = 4 * 1024;
// Between two looks at a write that blocks.
constexpr Clock::duration shortest_nap = std::chrono::milliseconds(100);

// Runs `step` on a leg and remembers which leg it was if it fails.
asio::awaitable<void> attribute_failure(RelayState& state, Leg leg, asio::awaitable<void> step) {
    try {
        co_await std::move(step);
    } catch (const StreamError& error) {
        state.note_failure(leg.is_left, error);
        throw;
    }
}

// While somebody waits for a write to a leg.
class Writing {
 public:
    Writing(RelayState& state, Leg to) : state_(state), since_(state.writing_since[to.index()]) {
        state.touch();
        since_ = state.last_activity;
    }
    Writing(const Writing&) = delete;
    Writing& operator=(const Writing&) = delete;
    void done() {
        since_.reset();
        state_.touch();
    }

 private:
    RelayState& state_;
    std::optional<Clock::time_point>& since_;
};

// A leg that takes nothing any more is not over before all was read that it sent: its reader meets the end behind that.
// True when nobody will.
bool note_lost(RelayState& state, Leg leg, const StreamError& error) {
    state.writing_since[leg.index()].reset();
    state.lost[leg.index()] = error;
    if (const auto& before = state.lost[1 - leg.index()]) state.note_failure(!leg.is_left, *before);
    if (state.read_to_end[leg.index()]) state.note_failure(leg.is_left, error);
    return state.failed;
}

// A stream is not over in order that has lost a leg, unless that leg had ended it.
void throw_if_lost(RelayState& state, Leg left, Leg right) {
    for (const auto leg : {left, right}) {
        const auto& lost = state.lost[leg.index()];
        if (!lost || leg.stream.ended()) continue;
        state.note_failure(leg.is_left, *lost);
        throw StreamError(*lost);
    }
}

// One chunk; how much was read, 0 at the end of the direction, nullopt when nothing was there. Every message of a
// stream passes here and in forward_all: no coroutine more than it takes.
asio::awaitable<std::optional<std::size_t>> forward_chunk(RelayState& state, Leg from, Leg to,
                                                          std::atomic<std::uint64_t>& count) {
    const auto& lost = state.lost[to.index()];
    Chunk chunk;
    std::optional<std::size_t> size;
    try {
        size = from.stream.try_read(chunk.room());
    } catch (const StreamError& error) {
        state.note_failure(from.is_left, error);
        throw;
    }
    if (size.value_or(0) == 0 || lost) co_return size;
    try {
        Writing writing(state, to);
        co_await to.stream.write_all(chunk.filled(*size));
        writing.done();
        count.fetch_add(*size, std::memory_order_relaxed);
    } catch (const StreamError& error) {
        if (note_lost(state, to, error)) throw;
    }
    co_return size;
}

asio::awaitable<void> forward_all(RelayState& state, Leg from, Leg to, std::atomic<std::uint64_t>& count) {
    int turn = 0;
    for (;;) {
        const auto size = co_await forward_chunk(state, from, to, count);
        if (size == std::size_t{0}) co_return;
        if (size.value_or(0) < last_of_many) {
            try {  // an idle stream stays in here: no coroutine more than it takes
                co_await from.stream.wait_readable();
            } catch (const StreamError& error) {
                state.note_failure(from.is_left, error);
                throw;
            }
            turn = 0;
        } else if (++turn % chunks_per_turn == 0) {
            co_await asio::post(asio::use_awaitable);
        }
    }
}

// Tells a leg that no more is to come.
asio::awaitable<void> end_direction(RelayState& state, Leg to) {
    if (state.lost[to.index()]) co_return;
    try {
        co_await to.stream.finish();
    } catch (const StreamError& error) {
        if (note_lost(state, to, error)) throw;
    }
}

// The end of a direction could not be told to the other side: the other direction lives until it is quiet.
asio::awaitable<void> linger(RelayState& state) {
    state.touch();
    for (;;) {
        const auto now = state.clock.now();
        const auto deadline = state.last_activity + state.limits.linger;
        if (!state.is_writing() && now >= deadline) co_return;
        co_await state.clock.sleep_until(now < deadline ? deadline : now + std::max(state.limits.linger, shortest_nap));
    }
}

// A leg that has left in order may yet turn out to have cut off what the other side was sending.
asio::awaitable<void> drain(RelayState& state, Leg from) {
    co_await attribute_failure(state, from, from.stream.drain_until_closed());
    co_await linger(state);
}

// A plain leg ends one direction alone only when too many empty messages came. Its peer may have meant its end; a
// program on this machine must not take for the end of its data what may be a cut.
bool is_given_up(const RelayState& state, Leg from) {
    return state.limits.left_is_local && !from.is_left && !from.stream.half_close() && !from.stream.ended();
}

[[noreturn]] void give_up(RelayState& state, Leg from) {
    const StreamError given_up(CloseReason::protocol_violation, "only empty messages came, and many of them");
    state.note_failure(from.is_left, given_up);
    throw StreamError(given_up);
}

// Returns when the whole relay is over, not merely this direction.
asio::awaitable<void> pump(RelayState& state, Leg from, Leg to, std::atomic<std::uint64_t>& count) {
    co_await forward_all(state, from, to, count);
    state.read_to_end[from.index()] = true;
    // What ended was dropped: the other direction decides, once it has met the loss.
    if (state.lost[to.index()] && !from.stream.ended()) co_await forever();
    --state.open_directions;
    const bool over = from.stream.ended() || state.open_directions == 0;
    if (over) state.result.left_caused = from.is_left;
    if (from.is_left && !over) state.result.left_ended_first = true;
    const bool given_up = is_given_up(state, from);
    if (!given_up) co_await end_direction(state, to);
    throw_if_lost(state, from, to);
    if (!over) {
        auto draining = drain(state, from);
        if (from.stream.half_close() && to.stream.half_close()) {
            co_await std::move(draining);
        } else {
            co_await first_of(linger(state), std::move(draining));
        }
        state.result.left_caused = from.is_left;
    }
    throw_if_lost(state, from, to);
    if (given_up) give_up(state, from);
    state.decided = true;
}

struct Limit {
    Clock::time_point when;
    std::string limit;
};

// The limit that comes first, as things stand.
Limit next_limit(const RelayState& state) {
    const auto& limits = state.limits.stream;
    Limit due{Clock::time_point::max(), ""};
    const auto consider = [&due](Clock::time_point from, Clock::duration length, const char* name) {
        if (from + length < due.when) due = {from + length, name};
    };
    if (limits.max_lifetime) consider(state.start, *limits.max_lifetime, "max_lifetime");
    if (limits.idle_timeout && !state.is_writing()) consider(state.last_activity, *limits.idle_timeout, "idle_timeout");
    for (const auto& since : state.writing_since)
        if (limits.stall_timeout && since) consider(*since, *limits.stall_timeout, "stall_timeout");
    return due;
}

// What is due changes meanwhile, so it looks again at least twice in the shortest limit.
asio::awaitable<void> enforce_limits(RelayState& state) {
    const auto& limits = state.limits.stream;
    const Clock::duration shortest = std::min({limits.idle_timeout.value_or(std::chrono::hours(1)),
                                               limits.max_lifetime.value_or(std::chrono::hours(1)),
                                               limits.stall_timeout.value_or(std::chrono::hours(1))});
    for (;;) {
        const auto now = state.clock.now();
        const auto due = next_limit(state);
        if (now >= due.when) throw state.note_time_up(due.limit);
        co_await state.clock.sleep_until(std::min(due.when, now + shortest / 2));
    }
}

// Watches a leg beside its reader. A local program that resets its connection wants nothing any more; any other leg
// that is lost has its reader meet that, behind all that had come before, and so does one that has left in order.
LossMonitor watch(RelayState& state, Leg leg, const asio::any_io_executor& strand, FailureEvent& lost) {
    return leg.stream.watch(strand, [&state, leg, &lost](const std::exception_ptr& why) {
        try {
            std::rethrow_exception(why);
        } catch (const StreamError& error) {
            if (error.close_reason() == CloseReason::clean) return;
            if (error.close_reason() != CloseReason::reset && !note_lost(state, leg, error)) return;
            state.note_failure(leg.is_left, error);
        } catch (const std::exception&) {
            // Not the leg's doing, and the relay meets it.
        }
        lost.ring(why);
    });
}

asio::awaitable<void> run(RelayState& state, Leg left, Leg right) {
    const auto strand = co_await asio::this_coro::executor;
    FailureEvent lost(strand);
    const auto left_watch = watch(state, left, strand, lost), right_watch = watch(state, right, strand, lost);
    auto stream = first_of(pump(state, left, right, state.counts.left_to_right),
                           pump(state, right, left, state.counts.right_to_left), lost);
    if (!state.limits.stream.any()) {
        co_await std::move(stream);
    } else {
        co_await first_of(std::move(stream), enforce_limits(state));
    }
}

}  // namespace

asio::awaitable<RelayResult> relay(ByteStream& left, ByteStream& right, RelayLimits limits, Clock& clock,
                                   CloseReason cancel_reason, RelayCounts* counts) {
    RelayCounts own;
    RelayState state{.limits = limits,
                     .clock = clock,
                     .counts = counts != nullptr ? *counts : own,
                     .last_activity = clock.now(),
                     .result = {}};
    const Leg left_leg{left, true}, right_leg{right, false};
    auto told = CloseReason::clean;
    try {
        co_await run(state, left_leg, right_leg);
        told = state.result.close_reason;
    } catch (const StreamError&) {
        told = state.result.close_reason;
    } catch (const std::system_error& stopped) {
        if (stopped.code() != asio::error::operation_aborted) throw;
        told = cancel_reason;
        state.failed = false;
        state.result.close_reason = CloseReason::cancelled;
        state.result.cause = stopped.what();
    }
    // The peers hear why even if we were cancelled; a second cancellation cuts this short.
    co_await asio::this_coro::reset_cancellation_state();
    co_await close_legs(left_leg, right_leg, state, told);
    state.result.left_to_right = state.counts.left_to_right;
    state.result.right_to_left = state.counts.right_to_left;
    co_return state.result;
}

}  // namespace device_streams
