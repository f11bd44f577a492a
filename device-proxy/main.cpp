#include "common/app/log_target.hpp"
#include "common/app/process.hpp"
#include "common/app/reconfiguration.hpp"
#include "common/config/command_line.hpp"
#include "common/tls/tls_handover.hpp"
#include "device-proxy/device_proxy.hpp"
#include "device-proxy/device_proxy_config.hpp"

int main(int argc, char** argv) {
    using namespace device_streams;
    forbid_core_dumps();
    auto loaded = load_config(argc, argv, device::device_proxy_options());
    if (!loaded.config) return loaded.exit_code;
    const auto config = *loaded.config;

    const Log log(make_log_sink(config.log, "device-proxy"), config.log.level);
    Reconfiguration reconfiguration(device::device_proxy_options(), std::move(loaded), log);
    const auto make = [&](const Environment& environment) {
        const auto first = device::make_settings(reconfiguration.begin());
        auto proxy = std::make_unique<device::DeviceProxy>(environment, first);
        reconfiguration.apply_with([&proxy = *proxy](const auto& fresh) { proxy.apply(device::make_settings(fresh)); });
        return proxy;
    };
    auto settings = config.run;
    settings.record_plane = describe_record_plane(config.tls.record_plane);
    return run(settings, log, make, &reconfiguration);
}
