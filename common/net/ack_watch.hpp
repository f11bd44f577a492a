#pragma once

#include "common/net/transport_state.hpp"

#include <chrono>

namespace device_streams {

/// Finds out from the kernel's account of a TCP connection that its peer is gone although something waits for it.
/// TCP_USER_TIMEOUT would do it too, but it also ends connections to peers that merely read slowly.
///
/// Dead is a peer that acknowledged nothing for about `dead_after` while data was in flight, or, while it had closed
/// its window, left three probes unanswered. Plain state: call it every interval().
class AckWatch {
 public:
    using Duration = std::chrono::steady_clock::duration;

    explicit AckWatch(Duration dead_after) : dead_after_(dead_after) {}

    /// How often to look: six times in `dead_after`.
    Duration interval() const { return dead_after_ / 6; }
    /// True once the peer is dead: no later than `dead_after` after its last acknowledgement.
    bool is_dead(const TransportState& now);

 private:
    Duration dead_after_;
    int silent_looks_ = 0;  // in a row, with something waiting all the time
};

}  // namespace device_streams
