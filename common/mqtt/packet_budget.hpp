#pragma once

#include "common/base/clock.hpp"

#include <cstddef>

namespace device_streams::mqtt {

/// What a peer may send in the long run, and at once: packets, of which a large one counts as several.
struct PacketRate {
    unsigned per_second;
    unsigned at_once;
};

/// A token bucket of packets. Plain state: times go in.
class PacketBudget {
 public:
    static constexpr std::size_t bytes_each = 1024;  ///< of a packet that counts as one

    /// Full.
    PacketBudget(PacketRate rate, Clock::time_point now);

    /// Spends what a packet of so many bytes counts. What is missing is owed.
    void spend(std::size_t bytes);
    /// False: nothing more is taken until when().
    bool has_some(Clock::time_point now);
    Clock::time_point when() const { return full_ - whole_ + each_; }

 private:
    // A packet is worth `each_` of time; the bucket is as full as `full_` is near.
    Clock::duration each_;
    Clock::duration whole_;
    Clock::time_point full_;  // when it will be full again
};

}  // namespace device_streams::mqtt
