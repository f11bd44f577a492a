#pragma once

#include "common/net/transport_state.hpp"

#include <chrono>
#include <optional>

namespace device_streams {

/// Finds out from the kernel's account of a TCP connection that its peer is gone although something waits for it.
/// TCP_USER_TIMEOUT would do it too, but it also ends connections to peers that merely read slowly.
///
/// Dead is a peer that acknowledged nothing for about `dead_after` while data was in flight, or, while it had closed
/// its window, left three probes unanswered. A path swallows large packets (an MTU black hole) when the oldest data was
/// sent in vain again and again, new data then came from the peer, who therefore gets our small packets, and sending it
/// once more was in vain all the same. Plain state: call it every interval().
class AckWatch {
 public:
    using Duration = std::chrono::steady_clock::duration;

    explicit AckWatch(Duration dead_after) : dead_after_(dead_after) {}

    /// How often to look: six times in `dead_after`.
    Duration interval() const { return dead_after_ / 6; }
    enum class Verdict { alive, dead, swallowing };
    /// Dead: no later than `dead_after` after the last acknowledgement. Swallowing: sooner than the peer finds out that
    /// nothing arrives any more.
    Verdict look(const TransportState& now);

 private:
    bool is_swallowed(const TransportState& now);

    Duration dead_after_;
    bool was_in_vain_ = false;                             // at the last look
    std::optional<int> resent_when_heard_ = std::nullopt;  // how often, when the peer was heard all the same
    int silent_looks_ = 0;                                 // in a row, with something waiting all the time
};

}  // namespace device_streams
