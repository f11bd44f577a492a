#include "common/net/ack_watch.hpp"

namespace device_streams {

namespace {
constexpr int looks_until_dead = 5;
constexpr int probes_until_dead = 3;
}  // namespace

bool AckWatch::is_dead(const TransportState& now) {
    const bool waiting = now.in_flight || now.unanswered_probes >= probes_until_dead;
    const bool heard = now.since_heard < interval();
    silent_looks_ = waiting && !heard ? silent_looks_ + 1 : 0;
    return silent_looks_ >= looks_until_dead;
}

}  // namespace device_streams
