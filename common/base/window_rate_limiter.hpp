#pragma once

#include "common/base/clock.hpp"

#include <cstdint>
#include <utility>

namespace device_streams {

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
        const auto left_out = begin_window(now);
        const bool passes = events_ < limits_.events;
        ++(passes ? events_ : left_out_);
        return {passes, left_out};
    }
    /// Whether an event would pass.
    bool has_room(Clock::time_point now) const { return now >= window_end_ || events_ < limits_.events; }
    /// Counts an event that does not pass for another reason; returns what Verdict::left_out would be.
    std::uint64_t leave_out(Clock::time_point now) {
        const auto left_out = begin_window(now);
        ++left_out_;
        return left_out;
    }

    /// True when forgetting it would change nothing.
    bool is_idle(Clock::time_point now) const { return now >= window_end_ && left_out_ == 0; }

 private:
    std::uint64_t begin_window(Clock::time_point now) {
        if (now < window_end_) return 0;
        window_end_ = now + limits_.window;
        events_ = 0;
        return std::exchange(left_out_, 0);
    }

    Limits limits_;
    Clock::time_point window_end_{};
    std::uint64_t events_ = 0;
    std::uint64_t left_out_ = 0;
};

}  // namespace device_streams
