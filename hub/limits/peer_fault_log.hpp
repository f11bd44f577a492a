#pragma once

#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "hub/limits/window_rate_limiter.hpp"

#include <mutex>
#include <string>
#include <string_view>

namespace device_streams::hub {

/// Log lines about peers that nobody vouches for: one line a fault, and a flood of faults becomes a count. Any thread.
class PeerFaultLog {
 public:
    static constexpr WindowRateLimiter::Limits usual_limits{20, std::chrono::seconds(10)};
    PeerFaultLog(Log log, Clock& clock, WindowRateLimiter::Limits limits = usual_limits);

    /// `what` is one clause: never payload, credentials or anything else the peer chose, but for ids that passed
    /// checks.
    void report(std::string_view peer, Errc fault, std::string_view what);

 private:
    WindowRateLimiter::Verdict ask_gate();

    Log log_;
    Clock& clock_;
    std::mutex mutex_;
    WindowRateLimiter gate_;
};

}  // namespace device_streams::hub
