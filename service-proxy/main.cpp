#include "common/app/run.hpp"
#include "common/config/command_line.hpp"
#include "common/net/pipe_stream.hpp"
#include "service-proxy/service_proxy.hpp"
#include "service-proxy/service_proxy_config.hpp"
#include "service-proxy/stdio.hpp"

namespace {

using namespace device_streams;
using service::ServiceProxyConfig;

int run_forwards(const ServiceProxyConfig& config, const std::function<ServiceProxyConfig()>& reload) {
    Log log(make_stderr_sink(config.log.format), config.log.level);
    const auto read_again = [reload, log]() mutable {
        const auto changed = reload();
        auto settings = service::make_settings(changed);
        log.set_level(changed.log.level);
        return settings;
    };
    const auto make = [&](const Environment& environment) {
        return std::make_unique<service::ServiceProxy>(environment, service::make_settings(config), read_again);
    };
    RunSettings settings;
    settings.program = "service-proxy";
    settings.threads = config.threads;
    settings.drain = config.drain;
    return run(settings, log, make);
}

// Standard error is a person's terminal here: the starts and ends of streams are told at debug level only.
int run_stdio(const ServiceProxyConfig& config) {
    const auto level = config.log.level == LogLevel::info ? LogLevel::warning : config.log.level;
    const Log log(make_stderr_sink(config.log.format), level);
    const auto make = [&](const Environment& environment) {
        return std::make_unique<service::StdioProxy>(environment, service::make_settings(config), *config.stdio,
                                                     take_standard_streams());
    };
    RunSettings settings;
    settings.program = "service-proxy";
    settings.drain = std::chrono::milliseconds::zero();
    settings.quiet = true;
    return run(settings, log, make);
}

}  // namespace

int main(int argc, char** argv) {
    const auto loaded = load_config(argc, argv, service::service_proxy_options());
    if (!loaded.config) return loaded.exit_code;
    return loaded.config->stdio ? run_stdio(*loaded.config) : run_forwards(*loaded.config, loaded.reload);
}
