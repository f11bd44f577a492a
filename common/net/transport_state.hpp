#pragma once

#include <chrono>

namespace device_streams {

/// What the kernel knows of a TCP connection that may have lost its peer.
struct TransportState {
    bool in_flight = false;     ///< data was sent that is not acknowledged
    int unanswered_probes = 0;  ///< asked of a peer with nothing in flight: it is idle, or has closed its window
    std::chrono::milliseconds since_heard{};  ///< since its last acknowledgement of anything
};

}  // namespace device_streams
