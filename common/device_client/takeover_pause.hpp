#pragma once

#include "common/base/clock.hpp"

#include <functional>

namespace device_streams::device {

/// How long a link stays away that another machine with the same identity took the place of: each of the two would
/// else throw the other out, again and again. Doubles with each takeover that comes early, up to 16 times `first`; at
/// least half of it is waited, so that the other one has its time.
class TakeoverPause {
 public:
    /// `random` returns a number in [0, 1); default: seeded from the system's entropy.
    explicit TakeoverPause(std::function<double()> random = {});

    /// `first` is more than 0; `lived`: how long the link was up, which begins anew when that was longer than the last
    /// pauses explain.
    Clock::duration next(Clock::duration first, Clock::duration lived);

 private:
    std::function<double()> random_;
    int factor_ = 0;  // of the last pause; 0: there was none
};

}  // namespace device_streams::device
