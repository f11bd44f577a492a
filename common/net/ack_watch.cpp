#include "common/net/ack_watch.hpp"

namespace device_streams {

namespace {
constexpr int looks_until_dead = 5;
constexpr int probes_until_dead = 3;
// Mere loss of packets does not do that for so long.
constexpr int resent_until_swallowed = 4;
constexpr int looks_until_swallowed = 3;
}  // namespace

AckWatch::Verdict AckWatch::look(const TransportState& now) {
    const bool waiting = now.in_flight || now.unanswered_probes >= probes_until_dead;
    const bool heard = now.since_heard < interval();
    silent_looks_ = waiting && !heard ? silent_looks_ + 1 : 0;
    const bool in_vain = now.in_flight && now.large_resent >= resent_until_swallowed;
    heard_meanwhile_ = in_vain && swallowing_looks_ > 0 && (heard_meanwhile_ || now.since_data < interval());
    swallowing_looks_ = in_vain ? swallowing_looks_ + 1 : 0;
    if (swallowing_looks_ >= looks_until_swallowed && heard_meanwhile_) return Verdict::swallowing;
    return silent_looks_ >= looks_until_dead ? Verdict::dead : Verdict::alive;
}

}  // namespace device_streams
