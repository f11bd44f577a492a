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

/// Where a hub is looked for that the command line does not name.
struct HubDefaults {
    std::optional<std::string> config_of_environment;  ///< STREAM_HUB_CONFIG; nullopt: not set, or empty
    std::filesystem::path config = "/etc/stream-hub/stream-hub.yaml";
    std::filesystem::path state_directory = "/var/lib/stream-hub";
};
HubDefaults hub_defaults();

/// The configuration without --config: that of the environment, or the installed one; nullopt: there is none.
std::optional<std::filesystem::path> default_config(const HubDefaults& defaults);

/// Where the hub is administered that this file configures. Only what it says of that must be right.
HubLocation location_in(const std::filesystem::path& config);

/// The same for a state directory, whose configuration is looked for in it and beside it (as `stream-hub init` leaves
/// it), or, without one, for the default configuration, or the hub that runs on the default state directory. Throws
/// Failure(usage) when there is none.
HubLocation find_hub(const std::optional<std::string>& state_directory, const HubDefaults& defaults);

}  // namespace device_streams::hub
