#include "hub/http/stream_access.hpp"

#include "common/tunnel/stream_id.hpp"

namespace device_streams::hub {

namespace {

using iothub::RestError;

// 403 would be a quota to the SDKs.
RestRefusal unauthorized(const std::string& text) {
    return {RestError::unauthorized, text};
}

}  // namespace

asio::awaitable<StreamAccess> check_stream_access(HubContext& hub, Secret authorization, iothub::Target target,
                                                  std::string name, std::string peer) {
    StreamAccess access;
    const auto names = hub.names.get();
    const auto now = hub.clock.unix_seconds();
    const auto login = co_await check_service_request(hub.registry, authorization, *names, now);
    if (!login.decision.granted()) {
        hub.peer_faults.report(peer, Errc::credential_refused, "service: " + to_string(login.decision));
        // Who holds a key of the policy may know more.
        access.denied =
            unauthorized(login.decision.refusal == Refusal::no_permission ? "the policy does not permit streams"
                                                                          : "the authorization was refused");
        co_return access;
    }
    access.policy = login.policy->name;
    const auto service = service_of(name);
    auto verdict = judge_stream(*login.policy, target, service, now);
    access.reason = verdict.reason;
    if (!verdict.allowed) {
        hub.peer_faults.report(peer, Errc::stream_not_allowed,
                               "policy " + access.policy + ", device " + target.to_string() + ", service " + service +
                                   ": " + verdict.reason);
        access.denied = unauthorized("the policy does not allow this stream");
        co_return access;
    }
    access.grant = {access.policy, login.decision.login, service, std::move(verdict.rule)};
    const auto identity = co_await hub.registry.find(target);
    if (!identity) access.denied = no_such(target);
    co_return access;
}

}  // namespace device_streams::hub
