#include "hub/http/connection_handler.hpp"

#include "common/async/join.hpp"
#include "common/iothub/stream_request.hpp"
#include "common/text/ascii.hpp"
#include "common/text/parts.hpp"
#include "common/text/percent.hpp"
#include "common/tls/tls_stream.hpp"
#include "common/ws/handshake.hpp"
#include "common/ws/ws_stream.hpp"
#include "hub/devices/device_endpoint.hpp"
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

http::Response refuse(const ClientConnection& client, const UnservedOperation& unserved) {
    if (unserved.logged) client.report(*unserved.logged, std::string(unserved.why));
    return registry_error_answer(iothub::RestError::not_implemented, unserved.why, client.hub.clock.wall_now());
}

http::Response answer_mqtt_upgrade(const ClientConnection& client, const http::Request& request) {
    const auto subprotocol = offered_mqtt(request);
    if (subprotocol.empty() && request.headers.has_token("Sec-WebSocket-Protocol", "AMQPWSB10"))
        return refuse(client, {"AMQP over WebSocket is not served by this hub", Errc::transport_not_served});
    return subprotocol.empty() ? plain_error_answer(400, "only the subprotocol mqtt is spoken here")
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

std::optional<UnauthenticatedConnections::Slot> ConnectionHandler::let_in(const std::string& peer) {
    const auto limits = hub_.limits.get();
    auto slot = hub_.unauthenticated.enter(peer, limits->connections);
    if (!slot)
        hub_.peer_faults.report(peer, Errc::peer_oversize,
                                "too many connections without login, of its address or in all");
    return slot;
}

// TLS takes memory from the first word on; a client that says nothing gets none.
asio::awaitable<void> ConnectionHandler::handshake(Socket socket, TlsPeer& tls) {
    co_await socket.wait_readable();
    auto secured = std::make_unique<TlsStream>(std::move(socket), *hub_.tls.get());
    co_await secured->handshake();
    tls = std::move(secured);
}

// nullptr: TLS did not come about, or the hub is stopping.
asio::awaitable<ConnectionHandler::TlsPeer> ConnectionHandler::secure(Socket socket, std::string peer) {
    socket.give_up_after(hub_.limits.get()->liveness.dead_after);
    try {
        TlsPeer tls;
        auto timed =
            with_timeout(handshake(std::move(socket), tls), hub_.limits.get()->connections.tls_timeout, hub_.clock);
        co_await first_of(std::move(timed), hub_.stopping.until_announced());
        if (!hub_.stopping.announced()) co_return tls;
    } catch (const Failure& failure) {
        hub_.peer_faults.report(peer, failure.errc(), failure.detail());
    } catch (const StreamError& lost) {
        hub_.peer_faults.report(peer, Errc::peer_tls_failed, lost.what());
    } catch (const std::system_error& failure) {
        if (!timed_out(failure)) throw;
        hub_.peer_faults.report(peer, Errc::peer_slow, "TLS was not up in time");
    }
    co_return nullptr;
}

asio::awaitable<void> ConnectionHandler::serve(Socket socket) {
    const auto peer = socket.peer();
    auto slot = let_in(peer);
    if (!slot) co_return;
    auto tls = co_await secure(std::move(socket), peer);
    if (!tls) co_return;
    ClientConnection client(hub_, std::move(tls), peer, std::move(*slot));
    try {
        co_await serve_requests(client);
    } catch (const StreamError&) {
        // It went away between two requests or while it was answered: nobody is left to be told.
    }
}

asio::awaitable<void> ConnectionHandler::serve_mqtt(Socket socket) {
    auto peer = socket.peer();
    auto slot = let_in(peer);
    if (!slot) co_return;
    auto tls = co_await secure(std::move(socket), peer);
    if (!tls) co_return;
    LinkOrigin from{std::move(peer), LinkProtocol::mqtt, tls->client_certificate()};
    co_await serve_device(hub_, std::move(tls), std::move(from), std::move(*slot));
}

asio::awaitable<void> ConnectionHandler::serve_requests(ClientConnection& client) {
    while (!hub_.stopping.announced()) {
        std::optional<std::optional<http::Request>> request;
        auto reading = store(next_request(client), request);
        co_await first_of(std::move(reading), hub_.stopping.until_announced());
        if (!request || !*request) co_return;
        const bool still_ours = co_await route(client, **request);
        if (!still_ours) co_return;
        if (!client.http.reusable()) break;
    }
    co_await close(client);
}

asio::awaitable<std::optional<http::Request>> ConnectionHandler::next_request(ClientConnection& client) {
    const auto limits = hub_.limits.get();
    bool begun = false;
    std::optional<http::Response> refusal;
    try {
        begun = co_await with_timeout(client.http.wait_for_request(), limits->connections.idle_timeout, hub_.clock);
        if (!begun) co_return std::nullopt;
        auto request =
            co_await with_timeout(client.http.read_request(longest_body), limits->connections.head_timeout, hub_.clock);
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

// False when the connection has become something else, or is over.
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
    if (!client.slot) client.slot = let_in(client.peer);
    auto answer = client.slot ? answer_mqtt_upgrade(client, request)
                              : plain_error_answer(429, "too many connections of this address are without login");
    const bool upgraded = answer.status == 101;
    co_await client.send(std::move(answer));
    if (!upgraded) co_return true;
    std::vector<std::byte> early_bytes;
    auto transport = client.http.release(early_bytes);
    LinkOrigin from{client.peer, LinkProtocol::mqtt_websocket, transport->client_certificate()};
    ws::WsOptions options;
    options.role = ws::Role::server;
    options.stopping_code = come_back;
    options.takes_text = false;
    std::unique_ptr<ByteStream> stream =
        std::make_unique<ws::WsStream>(std::move(transport), options, std::move(early_bytes));
    auto not_logged_in = std::move(*client.slot);
    client.slot.reset();
    co_await serve_device(hub_, std::move(stream), std::move(from), std::move(not_logged_in));
    co_return false;
}

// In order, so that the last answer is not lost with unread bytes of the peer.
asio::awaitable<void> ConnectionHandler::close(ClientConnection& client) {
    co_await close_within(client.http.transport(), CloseReason::clean, hub_.limits.get()->relay.goodbye, hub_.clock);
}

}  // namespace device_streams::hub
