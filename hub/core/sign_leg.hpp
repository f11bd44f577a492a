#pragma once

#include "hub/core/hub_context.hpp"

namespace device_streams::hub {

/// What one side needs to open its leg of a stream of `target`, signed now and good until `deadline`.
LegGrant sign_leg(const HubContext& hub, const iothub::Target& target, const std::string& stream_id, StreamRole role,
                  Clock::time_point deadline);

}  // namespace device_streams::hub
