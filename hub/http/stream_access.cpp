#include "hub/http/stream_access.hpp"

#include "common/tunnel/stream_id.hpp"
#include "hub/http/rest_answer.hpp"

namespace device_streams::hub {

namespace {

// 403 would be a quota to the SDKs.
Refused unauthorized(std::string text) {
    return {iothub::RestError::unauthorized, std::move(text)};
}

// Ids are case-sensitive, and ssh writes host names in lower case. Only what the policy reaches is named: a service
// could as well ask for that.
asio::awaitable<std::string> name_alike(Registry& registry, iothub::Target asked_for, const Policy& policy,
                                        std::string service, std::int64_t now) {
    const auto alike = co_await registry.find_spelt_alike(asked_for);
    for (const auto& target : alike)
        if (target != asked_for && judge_stream(policy, target, service, now).allowed)
            co_return "; ids are case-sensitive, and there is " + target.to_string();
    co_return std::string();
}

}  // namespace

asio::awaitable<StreamAccess> check_stream_access(const ClientConnection& client, Secret authorization,
                                                  const OpenRequest& open_request) {
    StreamAccess access;
    const auto& hub = client.hub;
    const auto& target = open_request.target;
    const auto names = hub.names.get();
    const auto now = hub.clock.unix_seconds();
    const auto known = co_await hub.registry.find_both(named_policy(authorization), target);
    const auto login = judge_service_request(authorization, known.policy, *names, now);
    if (!login.granted()) {
        client.report(Errc::credential_refused, "service: " + to_string(*login.denial));
        // A service that holds a key of the policy may know more.
        const bool key_was_good = login.denial->reason == Denial::Reason::no_permission;
        access.refused =
            unauthorized(key_was_good ? "the policy does not permit streams" : "the authorization was refused");
        co_return access;
    }
    access.policy = known.policy->name;
    const auto policy = co_await hub.registry.find_policy(access.policy);
    if (!policy || !is_key_of(login.login, *policy)) {
        access.refused = unauthorized("the authorization was refused");
        co_return access;
    }
    const auto service = service_of(open_request.name);
    auto verdict = judge_stream(*policy, target, service, now);
    access.reason = verdict.reason;
    if (!verdict.allowed) {
        client.report(Errc::stream_not_allowed, "policy " + access.policy + ", device " + target.to_string() +
                                                    ", service " + service + ": " + verdict.reason);
        const auto hint = co_await name_alike(hub.registry, target, *policy, service, now);
        access.refused = unauthorized("the policy does not allow this stream" + hint);
        co_return access;
    }
    access.grant = {access.policy, login.login, service, std::move(verdict.rule)};
    if (!known.identity) {
        const auto missing = no_such(target);
        const auto hint = co_await name_alike(hub.registry, target, *policy, service, now);
        access.refused = Refused{missing.error, missing.what() + (hint.empty() ? "; ids are case-sensitive" : hint)};
    }
    co_return access;
}

}  // namespace device_streams::hub
