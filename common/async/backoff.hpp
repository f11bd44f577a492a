#pragma once

#include "common/base/clock.hpp"

#include <functional>

namespace device_streams {

/// Exponential backoff with full jitter: the n-th wait is uniform in [0, min(longest, first * 2^n)].
/// A connection that dies before `proof_of_life` does not reset it.
class Backoff {
 public:
    struct Limits {
        Clock::duration first = std::chrono::seconds(1);
        Clock::duration longest = std::chrono::seconds(60);
        Clock::duration proof_of_life = std::chrono::seconds(5);
    };
    /// `random` returns a number in [0, 1); default: seeded from the system's entropy, so a fleet spreads out.
    explicit Backoff(Limits limits, std::function<double()> random = {});

    /// How long to wait before the next try.
    Clock::duration next();
    /// Tells how long the last connection lived once it was up.
    void lived(Clock::duration life);

 private:
    Limits limits_;
    std::function<double()> random_;
    Clock::duration ceiling_;
};

}  // namespace device_streams
