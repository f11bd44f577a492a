#include "hub/program.hpp"

#include "common/app/log_target.hpp"
#include "common/app/privileges.hpp"
#include "common/app/reconfiguration.hpp"
#include "common/async/block_on.hpp"
#include "common/base/error.hpp"
#include "common/tls/tls_handover.hpp"
#include "hub/admin/state_directory.hpp"
#include "hub/registry/sqlite_registry.hpp"
#include "hub/stream_hub.hpp"

namespace device_streams::hub {

namespace {

// A command line holds the lock for a moment, or for as long as it waits for a stopping hub's answer (20 s).
constexpr auto lock_patience = std::chrono::seconds(25);

int run_with_state(const HubConfig& config, Reconfiguration<HubConfig>& reconfiguration, const Log& log) {
    SystemClock clock;
    const StateDirectory state{config.state_directory};
    auto lock = block_on(state.lock(lock_patience, clock));
    const auto open_registry = [&](Registry::OnRevoked on_revoked) {
        return std::make_unique<SqliteRegistry>(state.registry_file(), SqliteRegistry::Mode::open_existing, clock,
                                                std::move(on_revoked));
    };
    auto settings = config.run;
    settings.record_plane = describe_record_plane(config.tls.record_plane);
    return run(
        settings, log,
        [&](const Environment& environment) {
            auto hub =
                std::make_unique<StreamHub>(environment, open_registry, reconfiguration.begin(), std::move(lock));
            reconfiguration.apply_with([&hub = *hub](const HubConfig& fresh) { hub.apply(fresh); });
            return hub;
        },
        &reconfiguration);
}

}  // namespace

int run_hub(LoadedConfig<HubConfig> loaded) {
    const auto config = *loaded.config;
    const Log log(make_log_sink(config.log, "stream-hub"), config.log.level);
    Reconfiguration reconfiguration(hub_options(), std::move(loaded), log);
    try {
        become(config.run.run_as);  // before the state is opened
        return run_with_state(config, reconfiguration, log);
    } catch (const Failure& failure) {
        log.error(explain(failure));
        return exit_code_for(failure.errc());
    }
}

}  // namespace device_streams::hub
