#include "hub/http/connection_handler.hpp"

#include "common/async/join.hpp"
#include "common/iothub/stream_request.hpp"
#include "common/text/ascii.hpp"
#include "common/text/parts.hpp"
#include "common/text/percent.hpp"
#include "common/ws/handshake.hpp"
#include "common/ws/ws_stream.hpp"
#include "hub/devices/device_endpoint.hpp"
#include "hub/http/forwarded.hpp"
#include "hub/http/registry_endpoint.hpp"
#include "hub/http/registry_request.hpp"
#include "hub/http/rest_answer.hpp"
#include "hub/http/service_endpoint.hpp"
#include "hub/http/streaming_endpoint.hpp"
#include "hub/http/unserved_operation.hpp"
#include "hub/streams/close_within.hpp"

namespace device_streams::hub {

namespace {

// Only the registry has a use for one: the description of an identity is shorter. Other clients send an empty object.
constexpr std::size_t longest_body = 4 * 1024;
constexpr std::string_view mqtt_path = "/$iothub/websocket";
constexpr std::uint16_t come_back = 1012;  // "service restart": a link, unlike a stream, is made again

bool timed_out(const std::system_error& failure) {
    return failure.code() == asio::error::timed_out;
}

http::Response too_many_strangers() {
    return plain_error_answer(429, "too many connections of this address are without login");
}

http::Response closing(http::Response response) {
    response.keep_alive = false;
    return response;
}

// Front ends ask whether somebody is there; they learn nothing about the hub, and the log nothing about them.
std::optional<http::Response> probe_answer(const http::Request& request) {
    const auto path = request.path();
    const bool asks_for_health = path == "/healthz" || path == "/livez";
    const bool reads = request.method == "GET" || request.method == "HEAD";
    const bool asks_for_options = request.method == "OPTIONS" && (path == "/" || path == "*");  // HAProxy's default
    if (!asks_for_options && !(asks_for_health && reads)) return std::nullopt;
    http::Response response;
    response.headers.add("Content-Type", "text/plain");
    response.body = "ok\n";
    return response;
}

// Front ends pass the prefix of public_url on, or take it off.
std::string without_prefix(std::string target, const std::string& prefix) {
    const bool below = target.starts_with(prefix) && target.substr(prefix.size()).starts_with('/');
    return below ? target.substr(prefix.size()) : target;
}

http::Response refuse(const ClientConnection& client, const UnservedOperation& unserved) {
    if (unserved.logged) client.report(*unserved.logged, std::string(unserved.why));
    return registry_error_answer(iothub::RestError::not_implemented, unserved.why, client.hub.clock.wall_now());
}

http::Response answer_mqtt_upgrade(const ClientConnection& client, const http::Request& request) {
    const auto subprotocol = offered_mqtt(request);
    if (subprotocol.empty() && request.headers.has_token("Sec-WebSocket-Protocol", "AMQPWSB10"))
        return refuse(client, {"AMQP over WebSocket is not served by this hub", Errc::transport_not_served});
    const bool removed = !request.headers.has_token("Upgrade", "websocket");
    return subprotocol.empty() && !removed ? plain_error_answer(400, "only the subprotocol mqtt is spoken here")
                                           : ws::answer_upgrade(request, subprotocol);
}

Errc fault_of(const http::MessageError& refused) {
    if (dynamic_cast<const http::AmqpInstead*>(&refused) != nullptr) return Errc::transport_not_served;
    return refused.status == 413 || refused.status == 431 ? Errc::peer_oversize : Errc::peer_garbage;
}

}  // namespace

std::string offered_mqtt(const http::Request& request) {
    auto rest = request.headers.find("Sec-WebSocket-Protocol").value_or("");
    while (!rest.empty())
        if (const auto name = trim(take_until(rest, ',')); equal_ignoring_case(name, "mqtt")) return std::string(name);
    return {};
}

TaskSet::Beginning ConnectionHandler::serve(Socket socket, SendAway send_away) {
    return serve_http(std::move(socket), std::move(send_away), Security::tls);
}

TaskSet::Beginning ConnectionHandler::serve_plain(Socket socket, SendAway send_away) {
    return serve_http(std::move(socket), std::move(send_away), Security::plain);
}

TaskSet::Beginning ConnectionHandler::serve_http(Socket socket, SendAway send_away, Security security) {
    auto arrival = co_await let_in(hub_, std::move(socket), std::move(send_away), security);
    if (!arrival) co_return nullptr;
    ClientConnection client(hub_, std::move(*arrival));
    try {
        co_await serve_requests(client);
    } catch (const StreamError&) {
        // It went away between two requests or while it was answered: nobody is left to be told.
    }
    co_return std::move(client.link);
}

TaskSet::Beginning ConnectionHandler::serve_mqtt(Socket socket, SendAway send_away) {
    auto arrival = co_await let_in(hub_, std::move(socket), std::move(send_away), Security::tls);
    if (!arrival) co_return nullptr;
    LinkOrigin from{std::move(arrival->peer), LinkProtocol::mqtt, arrival->transport->take_client_certificate()};
    co_return co_await log_device_in(hub_, std::move(arrival->transport), std::move(from), std::move(arrival->slot));
}

asio::awaitable<void> ConnectionHandler::serve_requests(ClientConnection& client) {
    while (!hub_.stopping.announced()) {
        std::optional<std::optional<http::Request>> request;
        auto reading = store(next_request(client), request);
        co_await first_of(std::move(reading), hub_.stopping.until_announced());
        if (!request || !*request) co_return;
        const bool still_ours = co_await answer(client, std::move(**request));
        if (!still_ours) co_return;
        if (!client.http.reusable()) break;
    }
    co_await close(client);
}

asio::awaitable<std::optional<http::Request>> ConnectionHandler::next_request(ClientConnection& client) {
    const auto limits = hub_.limits.get();
    client.forget_peer();
    bool begun = false;
    std::optional<http::Response> refusal;
    try {
        begun = co_await with_timeout(client.http.wait_for_request(), client.patience(limits->connections.idle_timeout),
                                      hub_.clock);
        if (!begun) co_return std::nullopt;
        const auto head_timeout = client.patience(limits->connections.head_timeout);
        auto request = co_await with_timeout(client.http.read_request(longest_body), head_timeout, hub_.clock);
        co_return request;
    } catch (const http::MessageError& refused) {
        client.report(fault_of(refused), refused.what());
        refusal = plain_error_answer(refused.status, refused.what());
    } catch (const StreamError& lost) {
        if (begun) client.report(Errc::peer_garbage, lost.what());
    } catch (const std::system_error& failure) {
        if (!timed_out(failure)) throw;
        if (begun) client.report(Errc::peer_slow, "its request was not complete in time");
    }
    if (!refusal) co_return std::nullopt;
    refusal->keep_alive = false;
    co_await client.send(std::move(*refusal));
    co_await close(client);
    co_return std::nullopt;
}

// Behind a front end each request may be another client's. An answer: it is refused.
std::optional<http::Response> ConnectionHandler::identify(ClientConnection& client, const http::Request& request) {
    try {
        const auto limits = hub_.limits.get();
        auto peer = forwarded_peer(request.headers, client.connected_peer, limits->connections.trusted_proxies);
        if (peer == client.peer) return std::nullopt;
        client.peer = std::move(peer);
    } catch (const ForwardedFault& fault) {
        client.report(Errc::peer_garbage, fault.what());
        return closing(plain_error_answer(400, fault.what()));
    }
    if (!client.slot) return std::nullopt;
    client.become_stranger();
    return client.slot ? std::nullopt : std::optional(closing(too_many_strangers()));
}

// False when the connection has become something else, or is over.
asio::awaitable<bool> ConnectionHandler::answer(ClientConnection& client, http::Request request) {
    request.target = without_prefix(std::move(request.target), hub_.address().path_prefix);
    auto ready = probe_answer(request);
    if (!ready) ready = identify(client, request);
    if (!ready) co_return co_await route(client, request);
    co_await client.send(std::move(*ready));
    co_return true;
}

asio::awaitable<bool> ConnectionHandler::route(ClientConnection& client, const http::Request& request) {
    const auto path = percent_decode(request.path());
    std::optional<http::Response> refusal;
    if (!path)
        refusal = error_answer(iothub::RestError::argument_invalid, "the path is malformed", hub_.clock.wall_now());
    else if (*path == mqtt_path)
        co_return co_await serve_mqtt_upgrade(client, request);
    else if (const auto unserved = unserved_operation(request.method, *path))
        refusal = refuse(client, *unserved);
    else if (path->starts_with("/twins/"))
        co_return co_await serve_stream_request(client, request);
    else if (path->starts_with("/bridges/"))
        co_return co_await serve_leg(client, request);
    else if (is_registry_path(*path))
        co_await serve_registry_request(client, request);
    else
        refusal =
            registry_error_answer(iothub::RestError::not_found, "there is nothing at this path", hub_.clock.wall_now());
    if (refusal) co_await client.send(std::move(*refusal));
    co_return true;
}

asio::awaitable<bool> ConnectionHandler::serve_mqtt_upgrade(ClientConnection& client, const http::Request& request) {
    // A client that was let in as a service has not logged in as a device: it counts as a stranger again.
    if (!client.slot) client.become_stranger();
    auto answer = client.slot ? answer_mqtt_upgrade(client, request) : too_many_strangers();
    const bool upgraded = answer.status == 101;
    co_await client.send(std::move(answer));
    if (!upgraded) co_return true;
    if (!client.settle()) co_return false;
    std::vector<std::byte> early_bytes;
    auto transport = client.http.release(early_bytes);
    LinkOrigin from{client.peer, LinkProtocol::mqtt_websocket, transport->take_client_certificate()};
    ws::WsOptions options;
    options.role = ws::Role::server;
    options.stopping_code = come_back;
    options.takes_text = false;
    std::unique_ptr<ByteStream> stream =
        std::make_unique<ws::WsStream>(std::move(transport), options, std::move(early_bytes));
    auto not_logged_in = std::move(*client.slot);
    client.slot.reset();
    client.link = co_await log_device_in(hub_, std::move(stream), std::move(from), std::move(not_logged_in));
    co_return false;
}

// In order, so that the last answer is not lost with unread bytes of the peer.
asio::awaitable<void> ConnectionHandler::close(ClientConnection& client) {
    co_await close_within(client.http.transport(), CloseReason::clean, hub_.limits.get()->relay.goodbye, hub_.clock);
}

}  // namespace device_streams::hub
