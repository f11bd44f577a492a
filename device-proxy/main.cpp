#include "common/app/run.hpp"
#include "common/config/command_line.hpp"
#include "device-proxy/device_proxy.hpp"
#include "device-proxy/device_proxy_config.hpp"

int main(int argc, char** argv) {
    using namespace device_streams;
    const auto loaded = load_config(argc, argv, device::device_proxy_options());
    if (!loaded.config) return loaded.exit_code;
    const auto& config = *loaded.config;

    Log log(make_stderr_sink(config.log.format), config.log.level);
    const auto read_again = [reload = loaded.reload, log]() mutable {
        const auto changed = reload();
        auto settings = device::make_settings(changed);
        log.set_level(changed.log.level);
        return settings;
    };
    const auto make = [&](const Environment& environment) {
        return std::make_unique<device::DeviceProxy>(environment, device::make_settings(config), read_again);
    };
    RunSettings settings;
    settings.program = "device-proxy";
    settings.threads = config.threads;
    settings.drain = config.drain;
    return run(settings, log, make);
}
