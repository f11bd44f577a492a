#include "common/base/error.hpp"
#include "common/config/options.hpp"
#include "hub/admin/command_line.hpp"

namespace device_streams::hub {

namespace {

constexpr const char* config_name = "stream-hub.yaml";

HubConfig load(const std::filesystem::path& file) {
    ConfigSources sources;
    sources.file = file;
    return hub_options().load(sources);
}

// A running hub knows all that its configuration says, so one that is missing or faulty is no reason to give up.
std::optional<HubConfig> try_load(const std::filesystem::path& file) {
    try {
        return load(file);
    } catch (const Failure&) {
        return std::nullopt;
    }
}

}  // namespace

HubLocation location_of(const HubConfig& config) {
    return {{config.state_directory}, config.admin_socket, {config.host_name, config.public_url.to_string()}};
}

HubLocation find_hub(const std::optional<std::string>& state_directory) {
    if (!state_directory) {
        if (std::filesystem::exists(config_name)) return location_of(load(config_name));
        throw Failure(Errc::usage,
                      "which hub? Name its configuration with -c, or its state directory with "
                      "--state-directory");
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
