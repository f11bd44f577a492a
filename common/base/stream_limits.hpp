#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace device_streams {

/// What ends a stream although both its ends want it; nothing does unless it is set. 1s..720h each.
struct StreamLimits {
    using Limit = std::optional<std::chrono::milliseconds>;
    Limit idle_timeout = {};   ///< nothing was carried in either direction, and nothing waits
    Limit max_lifetime = {};   ///< in all
    Limit stall_timeout = {};  ///< one side did not take a chunk (64 KiB) that waits for it

    bool operator==(const StreamLimits&) const = default;
    bool any() const { return idle_timeout || max_lifetime || stall_timeout; }
    /// The shorter of both, limit by limit.
    StreamLimits within(const StreamLimits& other) const {
        const auto shorter = [](Limit a, Limit b) { return a && b ? std::min(a, b) : a ? a : b; };
        return {shorter(idle_timeout, other.idle_timeout), shorter(max_lifetime, other.max_lifetime),
                shorter(stall_timeout, other.stall_timeout)};
    }
};

/// How legs stay alive, and when a silent one is given up.
struct Liveness {
    /// A leg on which nothing was sent for this long gets a WebSocket Ping. 100ms..30s
    std::chrono::milliseconds ping_every{30'000};
    /// A leg whose peer answers nothing for this long is lost: no Ping from a peer that negotiated `pings`, no
    /// acknowledgement of data, no answer to keep-alive probes. Above the peers' ping_every. 1s..1h
    std::chrono::milliseconds dead_after{60'000};
};

}  // namespace device_streams
