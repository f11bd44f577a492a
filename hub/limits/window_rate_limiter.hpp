#pragma once

#include "common/base/clock.hpp"

#include <cstdint>
#include <utility>

namespace device_streams::hub {

/// Lets so many events through in each window and counts the others. Plain state: the caller locks.
class WindowRateLimiter {
 public:
    struct Limits {
        unsigned events;  ///< in each window
        Clock::duration window;
    };
    explicit WindowRateLimiter(Limits limits) : limits_(limits) {}

    struct Verdict {
        bool passes;
        std::uint64_t left_out;  ///< how many did not pass in the windows before; told once
    };
    Verdict event(Clock::time_point now) {
        std::uint64_t left_out = 0;
        if (now >= window_end_) {
            window_end_ = now + limits_.window;
            events_ = 0;
            left_out = std::exchange(left_out_, 0);
        }
        const bool passes = events_ < limits_.events;
        ++(passes ? events_ : left_out_);
        return {passes, left_out};
    }

 private:
    Limits limits_;
    Clock::time_point window_end_{};
    std::uint64_t events_ = 0;
    std::uint64_t left_out_ = 0;
};

}  // namespace device_streams::hub
