#pragma once

#include "common/base/window_rate_limiter.hpp"

#include <map>
#include <string>
#include <string_view>

namespace device_streams::hub {

/// Lets events of peers that nobody vouches for through at a rate and counts the others. A flood from few sources (the
/// widest of sources_of) hides no others: as much room again is kept for the first event of each source in a window.
/// Plain state: the caller locks.
class SourceGate {
 public:
    /// `of_source`: events of one source in each window.
    SourceGate(WindowRateLimiter::Limits all, unsigned of_source)
        : window_(all.window), of_source_(of_source), all_(all), first_of_source_(all) {}

    WindowRateLimiter::Verdict event(std::string_view peer, Clock::time_point now);

 private:
    Clock::duration window_;
    unsigned of_source_;
    WindowRateLimiter all_, first_of_source_;
    std::map<std::string, unsigned> by_source_{};  // in this window
    Clock::time_point window_end_{};
};

}  // namespace device_streams::hub
