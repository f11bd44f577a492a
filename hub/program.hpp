#pragma once

#include "common/config/command_line.hpp"
#include "hub/config/hub_config.hpp"

namespace device_streams::hub {

/// Opens the registry, under the lock of its state directory, and runs the hub until a signal ends it. Returns the exit
/// code; a failure to start is logged with its next step.
int run_hub(LoadedConfig<HubConfig> loaded);

}  // namespace device_streams::hub
