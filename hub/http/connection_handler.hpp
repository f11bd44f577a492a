#pragma once

#include "common/net/socket.hpp"
#include "hub/core/hub_context.hpp"
#include "hub/http/client_connection.hpp"

#include <memory>
#include <optional>
#include <string>

namespace device_streams::hub {

/// What happens to a connection from accept to its end: TLS, then request after request, each routed by its path. A
/// connection may change into a link or a leg at any request. Every wait has its limit: TLS, the first byte of a
/// request, and its head.
class ConnectionHandler {
 public:
    explicit ConnectionHandler(HubContext& hub) : hub_(hub) {}

    /// REST, MQTT over WebSocket, streams.
    asio::awaitable<void> serve(Socket socket);
    /// MQTT without WebSocket.
    asio::awaitable<void> serve_mqtt(Socket socket);

 private:
    using TlsPeer = std::unique_ptr<Transport>;
    std::optional<UnauthenticatedConnections::Slot> let_in(const std::string& peer);
    asio::awaitable<void> handshake(Socket socket, TlsPeer& tls);
    asio::awaitable<TlsPeer> secure(Socket socket, std::string peer);
    asio::awaitable<void> serve_requests(ClientConnection& client);
    asio::awaitable<std::optional<http::Request>> next_request(ClientConnection& client);
    asio::awaitable<bool> route(ClientConnection& client, const http::Request& request);
    asio::awaitable<bool> serve_mqtt_upgrade(ClientConnection& client, const http::Request& request);
    asio::awaitable<void> close(ClientConnection& client);

    HubContext& hub_;
};

/// The subprotocol that a client of MQTT over WebSocket offered, in its own spelling; empty: it offered no MQTT 3.1.1.
std::string offered_mqtt(const http::Request& request);

}  // namespace device_streams::hub
