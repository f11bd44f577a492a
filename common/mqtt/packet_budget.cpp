#include "common/mqtt/packet_budget.hpp"

#include <algorithm>

namespace device_streams::mqtt {

PacketBudget::PacketBudget(PacketRate rate, Clock::time_point now)
    : each_(std::chrono::duration_cast<Clock::duration>(std::chrono::seconds(1)) / rate.per_second),
      whole_(each_ * rate.at_once),
      full_(now) {
}

void PacketBudget::spend(std::size_t bytes) {
    full_ += each_ * static_cast<Clock::duration::rep>(bytes / bytes_each + 1);
}

bool PacketBudget::has_some(Clock::time_point now) {
    full_ = std::max(full_, now);
    return when() <= now;
}

}  // namespace device_streams::mqtt
