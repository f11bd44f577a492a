#pragma once

#include <chrono>

namespace device_streams {

/// What the kernel knows of a TCP connection that may have lost its peer.
struct TransportState {
    bool in_flight = false;     ///< data was sent that is not acknowledged
    int unanswered_probes = 0;  ///< asked of a peer with nothing in flight: it is idle, or has closed its window
    /// How often in a row the oldest of it was sent again in vain, where all of it would fill a packet.
    int large_resent = 0;
    std::chrono::milliseconds since_heard{};  ///< since its last acknowledgement of anything
    std::chrono::milliseconds since_data{};   ///< since new data came from it
};

}  // namespace device_streams
