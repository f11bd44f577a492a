#include "hub/http/connection_handler.hpp"

#include "common/async/join.hpp"
#include "common/iothub/stream_request.hpp"
#include "common/tls/tls_stream.hpp"
#include "common/ws/handshake.hpp"
#include "common/ws/ws_stream.hpp"
#include "hub/devices/device_endpoint.hpp"
#include "hub/http/registry_endpoint.hpp"
#include "hub/http/registry_request.hpp"
#include "hub/http/rest_answer.hpp"
#include "hub/http/service_endpoint.hpp"
#include "hub/http/streaming_endpoint.hpp"
#include "hub/streams/close_within.hpp"

#include <algorithm>
#include <cctype>

namespace device_streams::hub {

namespace {

// Only the registry has a use for one: the description of an identity is shorter. Other clients send an empty object.
constexpr std::size_t longest_body = 4 * 1024;
constexpr std::string_view mqtt_path = "/$iothub/websocket";
constexpr std::uint16_t come_back = 1012;  // "service restart": a link, unlike a stream, is made again

bool is_mqtt(std::string_view name) {
    return std::ranges::equal(name, std::string_view("mqtt"), {}, [](unsigned char c) { return std::tolower(c); });
}

std::string_view trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool timed_out(const std::system_error& failure) {
    return failure.code() == asio::error::timed_out;
}

http::Response answer_mqtt_upgrade(const http::Request& request) {
    const auto subprotocol = offered_mqtt(request);
    return subprotocol.empty() ? plain_error_answer(400, "only the subprotocol mqtt is spoken here")
                               : ws::answer_upgrade(request, subprotocol);
}

Errc fault_of(const http::MessageError& refused) {
    return refused.status == 413 || refused.status == 431 ? Errc::peer_oversize : Errc::peer_garbage;
}

}  // namespace

std::string offered_mqtt(const http::Request& request) {
    auto rest = request.headers.find("Sec-WebSocket-Protocol").value_or("");
    while (!rest.empty()) {
        const auto comma = rest.find(',');
        const auto name = trimmed(rest.substr(0, comma));
        if (is_mqtt(name)) return std::string(name);
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
    return {};
}

std::optional<UnauthenticatedConnections::Slot> ConnectionHandler::let_in(const std::string& peer) {
    const auto limits = hub_.limits.get();
    auto slot = hub_.unauthenticated.enter(peer, {limits->connections_per_address, limits->connections_without_login});
    if (!slot)
        hub_.peer_faults.report(peer, Errc::peer_oversize,
                                "too many connections without login, of its address or in all");
    return slot;
}

// TLS takes memory from the first word on: who says nothing gets none.
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
        auto timed = with_timeout(handshake(std::move(socket), tls), hub_.limits.get()->tls, hub_.clock);
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
    http::Connection connection(std::move(tls), &hub_.clock);
    try {
        co_await serve_requests(connection, peer, std::move(*slot));
    } catch (const StreamError&) {
        // It went away between two requests or while it was answered: nobody is left to be told.
    }
}

asio::awaitable<void> ConnectionHandler::serve_mqtt(Socket socket) {
    const auto peer = socket.peer();
    auto slot = let_in(peer);
    if (!slot) co_return;
    auto tls = co_await secure(std::move(socket), peer);
    if (!tls) co_return;
    LinkOrigin from{std::move(peer), LinkProtocol::mqtt, tls->client_certificate()};
    co_await serve_device(hub_, std::move(tls), std::move(from), std::move(*slot));
}

asio::awaitable<void> ConnectionHandler::serve_requests(http::Connection& connection, std::string peer,
                                                        UnauthenticatedConnections::Slot first_slot) {
    std::optional<UnauthenticatedConnections::Slot> slot(std::move(first_slot));
    PendingLegGuard pending_leg(hub_.broker);
    while (!hub_.stopping.announced()) {
        std::optional<std::optional<http::Request>> request;
        auto reading = store(next_request(connection, peer), request);
        co_await first_of(std::move(reading), hub_.stopping.until_announced());
        if (!request || !*request) co_return;
        const bool still_ours = co_await route(connection, std::move(**request), peer, slot, pending_leg);
        if (!still_ours) co_return;
        if (!connection.reusable()) break;
    }
    co_await close(connection);
}

asio::awaitable<std::optional<http::Request>> ConnectionHandler::next_request(http::Connection& connection,
                                                                              std::string peer) {
    const auto limits = hub_.limits.get();
    bool begun = false;
    std::optional<http::Response> refusal;
    try {
        begun = co_await with_timeout(connection.wait_for_request(), limits->idle, hub_.clock);
        if (!begun) co_return std::nullopt;
        auto request = co_await with_timeout(connection.read_request(longest_body), limits->head, hub_.clock);
        co_return request;
    } catch (const http::MessageError& refused) {
        hub_.peer_faults.report(peer, fault_of(refused), refused.what());
        refusal = plain_error_answer(refused.status, refused.what());
    } catch (const StreamError& lost) {
        if (begun) hub_.peer_faults.report(peer, Errc::peer_garbage, lost.what());
    } catch (const std::system_error& failure) {
        if (!timed_out(failure)) throw;
        if (begun) hub_.peer_faults.report(peer, Errc::peer_slow, "its request was not complete in time");
    }
    if (!refusal) co_return std::nullopt;
    refusal->keep_alive = false;
    co_await send_answer(hub_, connection, peer, std::move(*refusal));
    co_await close(connection);
    co_return std::nullopt;
}

// False when the connection has become something else, or is over.
asio::awaitable<bool> ConnectionHandler::route(http::Connection& connection, http::Request request, std::string peer,
                                               std::optional<UnauthenticatedConnections::Slot>& slot,
                                               PendingLegGuard& pending_leg) {
    const auto decoded = iothub::percent_decode(request.path());
    if (!decoded) {
        auto refusal =
            error_answer(iothub::RestError::argument_invalid, "the path is malformed", hub_.clock.wall_now());
        co_await send_answer(hub_, connection, std::move(peer), std::move(refusal));
        co_return true;
    }
    const auto& path = *decoded;
    if (path == mqtt_path) {
        const bool still_ours = co_await serve_mqtt_upgrade(connection, std::move(request), std::move(peer), slot);
        co_return still_ours;
    }
    if (path.starts_with("/twins/")) {
        const bool still_ours =
            co_await serve_stream_request(hub_, connection, std::move(request), std::move(peer), slot, pending_leg);
        co_return still_ours;
    }
    if (is_registry_path(path)) {
        co_await serve_registry_request(hub_, connection, std::move(request), std::move(peer), slot);
        co_return true;
    }
    if (path.starts_with("/bridges/")) {
        const bool still_ours = co_await serve_leg(hub_, connection, std::move(request), std::move(peer), slot);
        co_return still_ours;
    }
    auto response = plain_error_answer(404, "there is nothing at this path");
    co_await send_answer(hub_, connection, std::move(peer), std::move(response));
    co_return true;
}

asio::awaitable<bool> ConnectionHandler::serve_mqtt_upgrade(http::Connection& connection, http::Request request,
                                                            std::string peer,
                                                            std::optional<UnauthenticatedConnections::Slot>& slot) {
    // Who was let in as a service has not logged in as a device: it counts as a stranger again.
    if (!slot) slot = let_in(peer);
    auto answer = slot ? answer_mqtt_upgrade(request)
                       : plain_error_answer(429, "too many connections of this address are without login");
    const bool upgraded = answer.status == 101;
    co_await send_answer(hub_, connection, peer, std::move(answer));
    if (!upgraded) co_return true;
    std::vector<std::byte> early_bytes;
    auto transport = connection.release(early_bytes);
    LinkOrigin from{std::move(peer), LinkProtocol::mqtt_websocket, transport->client_certificate()};
    ws::WsOptions options;
    options.role = ws::Role::server;
    options.stopping_code = come_back;
    options.takes_text = false;
    std::unique_ptr<ByteStream> stream =
        std::make_unique<ws::WsStream>(std::move(transport), options, std::move(early_bytes));
    auto not_logged_in = std::move(*slot);
    slot.reset();
    co_await serve_device(hub_, std::move(stream), std::move(from), std::move(not_logged_in));
    co_return false;
}

// In order, so that the last answer is not lost with unread bytes of the peer.
asio::awaitable<void> ConnectionHandler::close(http::Connection& connection) {
    co_await close_within(connection.transport(), CloseReason::clean, hub_.limits.get()->goodbye, hub_.clock);
}

}  // namespace device_streams::hub
