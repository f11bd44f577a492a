#include "hub/program.hpp"

#include "common/app/privileges.hpp"
#include "common/app/reconfiguration.hpp"
#include "common/async/block_on.hpp"
#include "common/base/error.hpp"
#include "hub/admin/state_directory.hpp"
#include "hub/registry/sqlite_registry.hpp"
#include "hub/stream_hub.hpp"

namespace device_streams::hub {

namespace {

// A command line holds the lock for a moment, or for as long as it waits for a stopping hub's answer (20 s).
constexpr auto lock_patience = std::chrono::seconds(25);

// Gives the state up once nothing listens any more: after a hand-over the next hub starts on it, while this one still
// carries its streams. From then on the hub itself looks for identities that others remove.
class HubWithState final : public Component {
 public:
    HubWithState(std::unique_ptr<StreamHub> hub, FileLock lock) : hub_(std::move(hub)), lock_(std::move(lock)) {}

    asio::awaitable<void> start() override { return hub_->start(); }
    void stop_accepting() override { hub_->stop_accepting(); }
    void cancel() override { hub_->cancel(); }
    asio::awaitable<void> until_done() override {
        co_await hub_->until_closed();
        lock_.reset();
        co_await hub_->until_done();
    }

 private:
    std::unique_ptr<StreamHub> hub_;
    std::optional<FileLock> lock_;
};

int run_with_state(const HubConfig& config, Reconfiguration<HubConfig>& reconfiguration, const Log& log) {
    SystemClock clock;
    const StateDirectory state{config.state_directory};
    auto lock = block_on(state.lock(lock_patience, clock));
    std::unique_ptr<Registry> registry =
        std::make_unique<SqliteRegistry>(state.registry_file(), SqliteRegistry::Mode::open_existing, clock);
    RunSettings settings;
    settings.program = "stream-hub";
    settings.threads = config.threads;
    settings.drain = config.drain;
    return run(
        settings, log,
        [&](Environment environment) -> std::unique_ptr<Component> {
            const auto first = settings_of(reconfiguration.begin());
            auto hub = std::make_unique<StreamHub>(std::move(environment), std::move(registry), first);
            reconfiguration.apply_with([&hub = *hub](const HubConfig& fresh) { hub.apply(settings_of(fresh)); });
            return std::make_unique<HubWithState>(std::move(hub), std::move(lock));
        },
        &reconfiguration);
}

}  // namespace

StreamHubSettings settings_of(const HubConfig& config) {
    StreamHubSettings settings;
    settings.name = config.name;
    settings.listen = config.listen;
    settings.mqtt_listen = config.mqtt_listen;
    settings.public_host = config.public_url.host;
    settings.public_port = config.public_url.port;
    settings.host_names = {config.host_name};
    settings.certificate_file = config.certificate;
    settings.key_file = config.key;
    settings.device_ca_file = config.device_ca;
    settings.admin_socket = config.admin_socket;
    settings.resource_log = config.resource_log;
    settings.quota = limits_of(config.quota);
    settings.quota_file = StateDirectory{config.state_directory}.quota_file();
    settings.limits.tls = config.limits.tls_timeout;
    settings.limits.head = config.limits.head_timeout;
    settings.limits.idle = config.limits.idle_timeout;
    settings.limits.connections_per_address = config.limits.connections_per_address;
    settings.limits.connections_without_login = config.limits.connections_without_login;
    settings.limits.devices = config.limits.linked_devices;
    settings.limits.pending_per_device = config.limits.pending_per_device;
    settings.limits.pending_per_policy = config.limits.pending_per_policy;
    settings.limits.handshake = config.handshake_timeout;
    settings.limits.grace = config.offline_grace;
    settings.limits.linger = config.linger;
    settings.limits.stream = config.streams;
    settings.limits.liveness = config.liveness;
    return settings;
}

int run_hub(LoadedConfig<HubConfig> loaded) {
    const auto config = *loaded.config;
    const Log log(make_stderr_sink(config.log.format), config.log.level);
    Reconfiguration reconfiguration(hub_options(), std::move(loaded), log);
    try {
        become({config.run_as.user, config.run_as.group});  // before the state is opened
        return run_with_state(config, reconfiguration, log);
    } catch (const Failure& failure) {
        log.error(explain(failure));
        return exit_code_for(failure.errc());
    }
}

}  // namespace device_streams::hub
