#include "hub/http/registry_endpoint.hpp"

#include "hub/http/identity_json.hpp"
#include "hub/http/registry_request.hpp"
#include "hub/http/rest_answer.hpp"

#include <set>
#include <utility>

namespace device_streams::hub {

namespace {

using iothub::RestError;
using iothub::Target;

// A request whose sender may make it.
struct Call {
    HubContext& hub;
    const http::Request& request;
    RegistryPath path;
    Log log;
};

RequestRefused exists_already(const Target& target) {
    if (target.module_id.empty()) return {RestError::device_already_exists, "a device of this id is registered"};
    return {RestError::module_already_exists, "the device has a module of this id"};
}

http::Response error_answer_of(const HubContext& hub, const RequestRefused& refusal) {
    return registry_error_answer(refusal.error, refusal.what(), hub.clock.wall_now());
}

// The registry refused or failed.
http::Response answer_for(const HubContext& hub, const Failure& failure, const Target& target) {
    if (failure.errc() == Errc::not_found) return error_answer_of(hub, no_such(target));
    if (failure.errc() == Errc::already_exists) return error_answer_of(hub, exists_already(target));
    hub.log.error("a request to the registry could not be answered", {{"reason", explain(failure)}});
    return error_answer_of(hub, {RestError::server_error, "the hub's registry failed"});
}

http::Response json_answer(std::string body) {
    http::Response response;
    response.headers.add("Content-Type", "application/json; charset=utf-8");
    response.body = std::move(body);
    return response;
}

http::Response method_not_allowed(const std::string& allowed) {
    auto response = plain_error_answer(405, "allowed here: " + allowed);
    response.headers.add("Allow", allowed);
    return response;
}

// Returns the name of the policy.
asio::awaitable<std::string> check_access(const ClientConnection& client, const http::Request& request) {
    auto& hub = client.hub;
    const Secret authorization(std::string(request.headers.find("Authorization").value_or("")));
    const bool reads = request.method == "GET";
    const auto names = hub.names.get();
    const auto needed = reads ? &Permissions::registry_read : &Permissions::registry_write;
    const auto check =
        co_await check_service_request(hub.registry, authorization, *names, hub.clock.unix_seconds(), needed);
    if (check.granted()) co_return named_policy(authorization);
    client.report(Errc::credential_refused, "registry: " + to_string(*check.denial));
    if (check.denial->reason != Denial::Reason::no_permission)
        throw RequestRefused(RestError::unauthorized, "the authorization was refused");
    throw RequestRefused(RestError::unauthorized, reads ? "the policy does not permit RegistryRead"
                                                        : "the policy does not permit RegistryWrite");
}

asio::awaitable<Identity> find(const Call& call, Target target) {
    const auto identity = co_await call.hub.registry.find(target);
    if (!identity) throw no_such(target);
    co_return *identity;
}

// The target, and before it its device, as a missing device is another error than a missing module.
asio::awaitable<Identity> find_target(const Call& call) {
    const auto& target = call.path.target;
    const Target device{target.device_id, {}};
    auto identity = co_await find(call, device);
    if (!target.module_id.empty()) identity = co_await find(call, target);
    co_return identity;
}

asio::awaitable<std::set<Target>> connected(const Call& call) {
    const auto online = co_await call.hub.broker.online();
    co_return std::set<Target>(online.begin(), online.end());
}

asio::awaitable<http::Response> answer_with(const Call& call, const Identity& identity) {
    const auto online = co_await connected(call);
    auto response = json_answer(identity_json(identity, online.contains(identity.target)));
    response.headers.add("ETag", "\"" + identity.etag + "\"");
    co_return response;
}

asio::awaitable<http::Response> list(const Call& call) {
    const auto length = wanted_length(call.request.target);
    if (!length) throw RequestRefused(RestError::argument_invalid, "top: must be a number");
    std::vector<Identity> identities;
    if (call.path.modules) {
        co_await find_target(call);
        identities = co_await call.hub.registry.list_modules(call.path.target.device_id);
    } else {
        identities = co_await call.hub.registry.list_devices(*length);
    }
    const auto online = co_await connected(call);
    co_return json_answer(identities_json(identities, online));
}

asio::awaitable<http::Response> show(const Call& call) {
    const auto identity = co_await find_target(call);
    co_return co_await answer_with(call, identity);
}

asio::awaitable<http::Response> put(const Call& call) {
    const auto& target = call.path.target;
    auto description = parse_description(call.request.body, target);
    const auto etag = wanted_etag(call.request.headers);
    if (etag) {
        co_await find_target(call);
        const auto changed = co_await call.hub.registry.replace(target, std::move(description), *etag);
        call.log.info("an identity was replaced through the registry", {{"enabled", changed.enabled}});
        co_return co_await answer_with(call, changed);
    }
    const Target device{target.device_id, {}};
    if (!target.module_id.empty()) co_await find(call, device);
    const auto created = co_await call.hub.registry.create(target, std::move(description));
    call.log.info("an identity was created through the registry", {{"enabled", created.enabled}});
    co_return co_await answer_with(call, created);
}

asio::awaitable<http::Response> remove(const Call& call) {
    const auto etag = wanted_etag(call.request.headers);
    if (!etag) throw RequestRefused(RestError::precondition_failed, "If-Match is needed: an etag, or * for any");
    co_await find_target(call);
    co_await call.hub.registry.remove_version(call.path.target, *etag);
    call.log.info("an identity was removed through the registry");
    http::Response response;
    response.status = 204;
    co_return response;
}

asio::awaitable<http::Response> answer(const Call& call) {
    const auto& method = call.request.method;
    if (call.path.is_list()) {
        if (method == "GET") co_return co_await list(call);
        co_return method_not_allowed("GET");
    }
    if (method == "GET") co_return co_await show(call);
    if (method == "PUT") co_return co_await put(call);
    if (method == "DELETE") co_return co_await remove(call);
    co_return method_not_allowed("GET, PUT, DELETE");
}

asio::awaitable<http::Response> answer_request(ClientConnection& client, const http::Request& request) {
    auto& hub = client.hub;
    Target target;
    try {
        const auto policy = co_await check_access(client, request);
        client.slot.reset();
        const auto path = parse_registry_path(request.path());
        if (!path) throw RequestRefused(RestError::argument_invalid, "the path or an id in it is malformed");
        target = path->target;
        const auto log = hub.log.with({{"device", target.to_string()}, {"policy", policy}, {"peer", client.peer}});
        const Call call{hub, request, *path, log};
        co_return co_await answer(call);
    } catch (const RequestRefused& refusal) {
        co_return error_answer_of(hub, refusal);
    } catch (const BadDescription& bad) {
        co_return error_answer_of(hub, {RestError::argument_invalid, bad.what()});
    } catch (const VersionMismatch& mismatch) {
        co_return error_answer_of(hub, {RestError::precondition_failed, mismatch.what()});
    } catch (const Failure& failure) {
        co_return answer_for(hub, failure, target);
    }
}

}  // namespace

asio::awaitable<void> serve_registry_request(ClientConnection& client, const http::Request& request) {
    auto response = co_await answer_request(client, request);
    co_await client.send(std::move(response));
}

}  // namespace device_streams::hub
