#pragma once

#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "common/base/log.hpp"

#include <mutex>
#include <string>
#include <string_view>

namespace device_streams::hub {

/// Log lines about peers that nobody vouches for: one line a fault, and a flood of faults becomes a count. Any thread.
class Complaints {
 public:
    struct Limits {
        unsigned lines = 20;  ///< in each window
        Clock::duration window = std::chrono::seconds(10);
    };
    Complaints(Log log, Clock& clock, Limits limits);
    Complaints(Log log, Clock& clock) : Complaints(std::move(log), clock, Limits()) {}

    /// `what` is one clause: never payload, credentials or anything else the peer chose, but for ids that passed
    /// checks.
    void about(std::string_view peer, Errc fault, std::string_view what);

 private:
    Log log_;
    Clock& clock_;
    Limits limits_;
    std::mutex mutex_;
    Clock::time_point window_end_{};
    unsigned lines_ = 0;
    std::uint64_t left_out_ = 0;
};

}  // namespace device_streams::hub
