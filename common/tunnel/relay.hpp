#pragma once

#include "common/base/clock.hpp"
#include "common/base/stream_limits.hpp"
#include "common/net/byte_stream.hpp"

#include <atomic>
#include <cstdint>
#include <string>

namespace device_streams {

struct RelayLimits {
    /// A stream without half-close whose one direction ended lives on until the other was silent for this long
    /// (docs/protocol.md 7.7).
    Clock::duration linger = std::chrono::seconds(5);
    /// For the goodbyes at the end.
    Clock::duration goodbye = std::chrono::seconds(5);
    /// The left leg is a program on this machine and the right one leads to the hub: the program is shown a clean end
    /// only once the hub has agreed to it. False: both are legs of a hub.
    bool left_is_local = true;
    StreamLimits stream = {};  ///< when one passes, the stream ends as CloseReason::time_up with its name as the cause
};

/// How a relay went; for the one log line at its end.
struct RelayResult {
    std::uint64_t left_to_right = 0;  ///< payload bytes
    std::uint64_t right_to_left = 0;
    CloseReason close_reason = CloseReason::clean;
    bool left_caused = false;       ///< the leg that ended it (also for clean ends)
    bool left_ended_first = false;  ///< the left leg had ended its direction in order before the stream was over
    std::string cause;              ///< one clause, empty for clean
};

/// Payload bytes that were carried so far; to be looked at while the relay runs, from any thread.
struct RelayCounts {
    std::atomic<std::uint64_t> left_to_right = 0;
    std::atomic<std::uint64_t> right_to_left = 0;
    std::uint64_t both() const { return left_to_right + right_to_left; }
};

/// Joins two streams until both directions have ended, a leg fails, or the coroutine is cancelled; then closes both:
/// the leg that did not fail hears `close_reason`, behind everything that had come before the failure. A slow reader is
/// waited for as that of a living stream is, but only as long as a goodbye takes when the stream was reset, cancelled,
/// or one of its limits passed. One chunk is in flight in each direction and it is only taken from the pool when bytes
/// are there, so a slow side slows the other down exactly and idle streams hold no buffer. Never throws but for
/// internal faults; cancellation ends as CloseReason::cancelled with `cancel_reason` told to both legs.
/// `counts`, if any, outlives it.
asio::awaitable<RelayResult> relay(ByteStream& left, ByteStream& right, RelayLimits limits, Clock& clock,
                                   CloseReason cancel_reason = CloseReason::stopping, RelayCounts* counts = nullptr);

}  // namespace device_streams
