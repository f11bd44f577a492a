#include "hub/core/sign_leg.hpp"

namespace device_streams::hub {

LegGrant sign_leg(const HubContext& hub, const iothub::Target& target, const std::string& stream_id, StreamRole role,
                  Clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(deadline - hub.clock.now());
    return hub.leg_tokens.make(hub.address(), target, stream_id, role, hub.clock.unix_seconds() + left.count());
}

}  // namespace device_streams::hub
