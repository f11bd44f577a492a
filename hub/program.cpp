#include "hub/program.hpp"

#include "common/app/run.hpp"
#include "common/base/error.hpp"
#include "hub/admin/block_on.hpp"
#include "hub/admin/state_directory.hpp"
#include "hub/sqlite_registry.hpp"
#include "hub/stream_hub.hpp"

namespace device_streams::hub {

namespace {

// A command line holds the lock for a moment, or for as long as it waits for a stopping hub's answer (20 s).
constexpr auto lock_patience = std::chrono::seconds(25);

// Gives the state up once nothing listens any more: after a hand-over the next hub starts on it, while this one still
// carries its streams. From then on the hub itself looks for identities that others remove.
class HubWithState final : public Component {
 public:
    HubWithState(std::unique_ptr<StreamHub> hub, FileLock lock, std::function<void(StreamHub&)> reload)
        : hub_(std::move(hub)), lock_(std::move(lock)), reload_(std::move(reload)) {}

    asio::awaitable<void> start() override { return hub_->start(); }
    void stop_accepting() override { hub_->stop_accepting(); }
    void cancel() override { hub_->cancel(); }
    asio::awaitable<void> until_done() override {
        co_await hub_->until_closed();
        lock_.reset();
        co_await hub_->until_done();
    }
    void reload() override { reload_(*hub_); }

 private:
    std::unique_ptr<StreamHub> hub_;
    std::optional<FileLock> lock_;
    std::function<void(StreamHub&)> reload_;
};

int run_with_state(const HubConfig& config, std::function<HubConfig()> reload, const Log& log) {
    SystemClock clock;
    const StateDirectory state{config.state_directory};
    auto lock = block_on(state.lock(lock_patience, clock));
    std::unique_ptr<Registry> registry =
        std::make_unique<SqliteRegistry>(state.registry_file(), SqliteRegistry::Mode::open_existing, clock);
    RunSettings settings;
    settings.program = "stream-hub";
    settings.threads = config.threads;
    settings.drain = config.drain;
    return run(settings, log, [&](Environment environment) -> std::unique_ptr<Component> {
        auto hub = std::make_unique<StreamHub>(std::move(environment), std::move(registry), settings_of(config));
        const auto reread = [&](StreamHub& running) { reconfigure(running, config, reload(), log); };
        return std::make_unique<HubWithState>(std::move(hub), std::move(lock), reread);
    });
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
    settings.limits.tls = config.limits.tls_timeout;
    settings.limits.head = config.limits.head_timeout;
    settings.limits.idle = config.limits.idle_timeout;
    settings.limits.connections_per_address = config.limits.connections_per_address;
    settings.limits.handshake = config.handshake_timeout;
    settings.limits.grace = config.offline_grace;
    settings.limits.linger = config.linger;
    settings.limits.stream = config.streams;
    settings.limits.liveness = config.liveness;
    return settings;
}

std::vector<std::string> keys_for_restart(const HubConfig& running, const HubConfig& fresh) {
    std::vector<std::string> keys;
    const auto compare = [&](const char* key, const auto& before, const auto& after) {
        if (before != after) keys.emplace_back(key);
    };
    compare("name", running.name, fresh.name);
    compare("listen", running.listen, fresh.listen);
    compare("mqtt_listen", running.mqtt_listen, fresh.mqtt_listen);
    compare("state_directory", running.state_directory, fresh.state_directory);
    compare("admin_socket", running.admin_socket, fresh.admin_socket);
    compare("threads", running.threads, fresh.threads);
    compare("drain", running.drain, fresh.drain);
    compare("log.format", running.log.format, fresh.log.format);
    return keys;
}

void reconfigure(StreamHub& hub, const HubConfig& running, const HubConfig& fresh, Log log) {
    hub.apply(settings_of(fresh));
    log.set_level(fresh.log.level);
    std::string keys;
    for (const auto& key : keys_for_restart(running, fresh)) keys += (keys.empty() ? "" : ", ") + key;
    if (!keys.empty()) log.warning("some changed settings take a restart", {{"keys", keys}});
}

int run_hub(LoadedConfig<HubConfig> loaded) {
    const auto& config = *loaded.config;
    const Log log(make_stderr_sink(config.log.format), config.log.level);
    try {
        return run_with_state(config, std::move(loaded.reload), log);
    } catch (const Failure& failure) {
        log.error(explain(failure));
        return exit_code_for(failure.errc());
    }
}

}  // namespace device_streams::hub
