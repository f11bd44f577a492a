#include "common/app/log_target.hpp"
#include "common/app/process.hpp"
#include "common/app/reconfiguration.hpp"
#include "common/config/command_line.hpp"
#include "common/net/pipe_stream.hpp"
#include "common/tls/tls_handover.hpp"
#include "service-proxy/last_error.hpp"
#include "service-proxy/service_proxy.hpp"
#include "service-proxy/service_proxy_config.hpp"
#include "service-proxy/stdio.hpp"

namespace {

using namespace device_streams;
using service::ServiceProxyConfig;

int run_forwards(LoadedConfig<ServiceProxyConfig> loaded) {
    const auto config = *loaded.config;
    const Log log(make_log_sink(config.log, "service-proxy"), config.log.level);
    Reconfiguration reconfiguration(service::service_proxy_options(), std::move(loaded), log);
    const auto make = [&](const Environment& environment) {
        const auto first = service::make_settings(reconfiguration.begin());
        auto proxy = std::make_unique<service::ServiceProxy>(environment, first);
        reconfiguration.apply_with(
            [&proxy = *proxy](const auto& fresh) { proxy.apply(service::make_settings(fresh)); });
        return proxy;
    };
    auto settings = config.run;
    settings.record_plane = describe_record_plane(config.tls.record_plane);
    return run(settings, log, make, &reconfiguration);
}

// Standard error is a person's terminal here: the starts and ends of streams are told at debug level only.
LogLevel stdio_level(const LogSettings& log) {
    const bool terminal = log.file.empty() && log.target == LogTarget::standard_error;
    return terminal && log.level == LogLevel::info ? LogLevel::warning : log.level;
}

// Of --stdio, whose standard error is often lost; what a person has typed otherwise was told to that person.
void keep_failure(const ConfigSources& sources, const Failure& failure) {
    const auto destination = sources.flags.find("--stdio");
    if (destination != sources.flags.end())
        service::keep_last_error(service::last_error_file(), destination->second.front(), failure);
}

int run_stdio(const LoadedConfig<ServiceProxyConfig>& loaded) {
    const auto& config = *loaded.config;
    const Log log(make_log_sink(config.log, "service-proxy"), stdio_level(config.log));
    for (const auto& warning : loaded.warnings) log.warning(warning);
    const auto make = [&](const Environment& environment) {
        return std::make_unique<service::StdioProxy>(
            environment, service::make_settings(config), *config.stdio, take_standard_streams(),
            [&](const auto& failure) { keep_failure(loaded.sources, failure); });
    };
    RunSettings settings;
    settings.program = "service-proxy";
    settings.record_plane = describe_record_plane(config.tls.record_plane);
    settings.drain = std::chrono::milliseconds::zero();
    settings.quiet = true;
    return run(settings, log, make);
}

}  // namespace

int main(int argc, char** argv) {
    forbid_core_dumps();
    auto loaded = load_config(argc, argv, service::service_proxy_options());
    if (loaded.failure) keep_failure(loaded.sources, *loaded.failure);
    if (!loaded.config) return loaded.exit_code;
    return loaded.config->stdio ? run_stdio(loaded) : run_forwards(std::move(loaded));
}
