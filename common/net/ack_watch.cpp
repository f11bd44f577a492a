#include "common/net/ack_watch.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

namespace device_streams {

namespace {
constexpr int looks_until_dead = 5;
constexpr int probes_until_dead = 3;
}  // namespace

bool AckWatch::is_dead(const tcp_info& now) {
    const bool waiting = now.tcpi_unacked > 0 || now.tcpi_probes >= probes_until_dead;
    const bool heard = std::chrono::milliseconds(now.tcpi_last_ack_recv) < interval();
    silent_looks_ = waiting && !heard ? silent_looks_ + 1 : 0;
    return silent_looks_ >= looks_until_dead;
}

}  // namespace device_streams
