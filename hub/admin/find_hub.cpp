#include "common/base/error.hpp"
#include "common/config/options.hpp"
#include "hub/admin/command_line.hpp"

#include <cstdlib>

namespace device_streams::hub {

namespace {

constexpr const char* config_name = "stream-hub.yaml";
constexpr const char* config_variable = "STREAM_HUB_CONFIG";

HubConfig load(const std::filesystem::path& file) {
    ConfigSources sources;
    sources.file = file;
    return hub_options().load_part(sources, {"state_directory", "admin_socket", "host_name", "public_url"});
}

// A running hub knows all that its configuration says, so one that is missing or faulty is no reason to give up.
std::optional<HubConfig> try_load(const std::filesystem::path& file) {
    try {
        return load(file);
    } catch (const Failure&) {
        return std::nullopt;
    }
}

HubLocation location_of(const HubConfig& config) {
    return {{config.state_directory}, config.admin_socket, {config.host_name, config.public_url.to_string()}};
}

}  // namespace

HubDefaults hub_defaults() {
    HubDefaults defaults;
    const char* named = std::getenv(config_variable);
    if (named != nullptr && *named != '\0') defaults.config_of_environment = named;
    return defaults;
}

std::optional<std::filesystem::path> default_config(const HubDefaults& defaults) {
    if (defaults.config_of_environment) return *defaults.config_of_environment;
    std::error_code hidden;
    if (std::filesystem::exists(defaults.config, hidden)) return defaults.config;
    return std::nullopt;
}

HubLocation location_in(const std::filesystem::path& config) {
    return location_of(load(config));
}

HubLocation find_hub(const std::optional<std::string>& state_directory, const HubDefaults& defaults) {
    if (!state_directory) {
        if (const auto config = default_config(defaults)) return location_in(*config);
        const StateDirectory state{defaults.state_directory};
        std::error_code hidden;
        if (std::filesystem::exists(state.admin_socket(), hidden)) return {state, state.admin_socket(), {}};
        throw Failure(Errc::usage, "which hub? There is no " + defaults.config.string() + " and no " +
                                       state.admin_socket() + ": name its configuration with --config or " +
                                       config_variable + ", or its state directory with --state-directory");
    }
    const StateDirectory state{*state_directory};
    for (const auto& folder : {state.path, state.path / ".."}) {
        const auto config = try_load(folder / config_name);
        std::error_code differs;
        if (config && std::filesystem::equivalent(config->state_directory, state.path, differs))
            return location_of(*config);
    }
    return {state, state.admin_socket(), {}};
}

}  // namespace device_streams::hub
