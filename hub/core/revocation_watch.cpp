#include "hub/core/revocation_watch.hpp"

#include <algorithm>
#include <set>

namespace device_streams::hub {

namespace {

constexpr auto every = std::chrono::milliseconds(500);

asio::awaitable<void> look_for_identity(HubContext& hub, iothub::Target target) {
    const auto identity = co_await hub.registry.find(target);
    hub.broker.revoke(identity && identity->enabled ? Revocation(target, identity->authentication)
                                                    : Revocation(target));
}

bool is_key_of(const Credential& login, const std::vector<Policy>& policies) {
    return std::ranges::any_of(policies, [&](const Policy& known) { return hub::is_key_of(login, known); });
}

PolicyChange change_of(const std::string& name, const std::vector<Policy>& policies, std::int64_t unix_now) {
    const auto known = std::ranges::find(policies, name, &Policy::name);
    return {name, known == policies.end() ? std::nullopt : std::optional(*known), {}, unix_now};
}

asio::awaitable<void> look_for_policies(HubContext& hub, std::vector<RunningStream> streams) {
    const auto policies = co_await hub.registry.list_policies();
    const auto now = hub.clock.unix_seconds();
    std::set<std::string> names;
    PolicyChange of_devices;
    for (const auto& running : streams) {
        names.insert(running.stream.grant.policy);
        const auto& login = running.stream.login;
        if (login.kind == Credential::Kind::policy_key && !is_key_of(login, policies))
            of_devices.on_lost.push_back(login);
    }
    for (const auto& name : names) hub.broker.revoke(Revocation(change_of(name, policies, now)));
    if (!of_devices.on_lost.empty()) hub.broker.revoke(Revocation(of_devices));
}

asio::awaitable<void> look(HubContext& hub, std::vector<RunningStream> streams) {
    std::set<iothub::Target> targets;
    for (const auto& running : streams) targets.insert(running.stream.target);
    for (const auto& target : targets) co_await look_for_identity(hub, target);
    co_await look_for_policies(hub, std::move(streams));
}

bool rests_on_authority(const RunningStream& running) {
    return running.stream.login.kind == Credential::Kind::authority;
}

}  // namespace

asio::awaitable<void> watch_for_revocations(HubContext& hub, const Bridges& bridges,
                                            std::function<std::vector<std::string>()> trusted) {
    for (;;) {
        co_await hub.clock.sleep_for(every);
        auto streams = bridges.list();
        if (streams.empty()) continue;
        try {
            const bool by_authority = std::ranges::any_of(streams, rests_on_authority);
            co_await look(hub, std::move(streams));
            if (by_authority) hub.broker.revoke(Revocation(trusted()));
        } catch (const Failure& failure) {
            hub.log.error("running streams could not be checked", {{"reason", explain(failure)}});
        }
    }
}

}  // namespace device_streams::hub
