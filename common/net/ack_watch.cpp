#include "common/net/ack_watch.hpp"

#include <utility>

namespace device_streams {

namespace {
constexpr int looks_until_dead = 5;
constexpr int probes_until_dead = 3;
// Mere loss of packets does not do that for so long.
constexpr int resent_until_swallowed = 4;
}  // namespace

AckWatch::Verdict AckWatch::look(const TransportState& now) {
    const bool waiting = now.in_flight || now.unanswered_probes >= probes_until_dead;
    const bool heard = now.since_heard < interval();
    silent_looks_ = waiting && !heard ? silent_looks_ + 1 : 0;
    if (is_swallowed(now)) return Verdict::swallowing;
    return silent_looks_ >= looks_until_dead ? Verdict::dead : Verdict::alive;
}

// Behind an outage the next attempt may be half a minute away, so those that were in vain before the peer was heard say
// nothing.
bool AckWatch::is_swallowed(const TransportState& now) {
    const bool in_vain = now.in_flight && now.large_resent >= resent_until_swallowed;
    if (!in_vain || now.large_resent < resent_when_heard_.value_or(0)) resent_when_heard_.reset();
    const bool heard = std::exchange(was_in_vain_, in_vain) && in_vain && now.since_data < interval();
    if (resent_when_heard_) return now.large_resent > *resent_when_heard_;
    if (heard) resent_when_heard_ = now.large_resent;
    return false;
}

}  // namespace device_streams
