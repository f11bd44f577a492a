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
    return run(
        config.run, log,
        [&](Environment environment) -> std::unique_ptr<Component> {
            auto hub =
                std::make_unique<StreamHub>(std::move(environment), std::move(registry), reconfiguration.begin());
            reconfiguration.apply_with([&hub = *hub](const HubConfig& fresh) { hub.apply(fresh); });
            return std::make_unique<HubWithState>(std::move(hub), std::move(lock));
        },
        &reconfiguration);
}

}  // namespace

int run_hub(LoadedConfig<HubConfig> loaded) {
    const auto config = *loaded.config;
    const Log log(make_stderr_sink(config.log.format), config.log.level);
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
