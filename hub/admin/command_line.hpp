#pragma once

#include "common/config/command_line.hpp"
#include "hub/admin/admin_client.hpp"
#include "hub/config/hub_config.hpp"

#include <functional>
#include <optional>
#include <string>

namespace device_streams::hub {

/// The whole front of stream-hub: `init`, `device ...`, `policy ...` and so on are done here; `run`, which is also what
/// a command line without a command means, is handed to `run_hub`. Returns the program's exit code; results are on
/// standard output, failures with their next step on standard error.
int command_line(int argc, const char* const* argv, const std::function<int(LoadedConfig<HubConfig>)>& run_hub);

/// Where the hub of this configuration is administered.
HubLocation location_of(const HubConfig& config);

/// The same for a state directory, whose configuration is looked for in it and beside it (as `stream-hub init` leaves
/// it), or, without one, for the stream-hub.yaml of the working directory. Throws Failure(usage) when there is none.
HubLocation find_hub(const std::optional<std::string>& state_directory);

}  // namespace device_streams::hub
