#pragma once

#include "common/config/command_line.hpp"
#include "hub/hub_config.hpp"
#include "hub/stream_hub.hpp"

#include <string>
#include <vector>

namespace device_streams::hub {

/// What the hub's parts need to know of its configuration.
StreamHubSettings settings_of(const HubConfig& config);

/// The keys that differ and take a restart.
std::vector<std::string> keys_for_restart(const HubConfig& running, const HubConfig& fresh);

/// Gives a hub that was started with `running` the settings of `fresh`, and the log its level; warns of those that take
/// a restart. Throws Failure, and changes nothing, when they cannot be used.
void reconfigure(StreamHub& hub, const HubConfig& running, const HubConfig& fresh, Log log);

/// Opens the registry, under the lock of its state directory, and runs the hub until a signal ends it. Returns the exit
/// code; a failure to start is logged with its next step.
int run_hub(LoadedConfig<HubConfig> loaded);

}  // namespace device_streams::hub
