#pragma once

#include "common/async/task_set.hpp"
#include "common/net/socket.hpp"
#include "hub/core/hub_context.hpp"
#include "hub/http/client_connection.hpp"

#include <memory>
#include <optional>
#include <string>

namespace device_streams::hub {

/// What happens to a connection from accept to its end: it is let in, then request after request, each routed by its
/// path. A connection may change into a link or a leg at any request. Every wait has its limit: TLS, the first byte of
/// a request, and its head. What the members return goes on when they are over: the link that the connection has
/// become.
class ConnectionHandler {
 public:
    explicit ConnectionHandler(HubContext& hub) : hub_(hub) {}

    /// REST, MQTT over WebSocket, streams.
    TaskSet::Beginning serve(Socket socket, SendAway send_away);
    /// The same from a front end on this machine that has ended TLS.
    TaskSet::Beginning serve_plain(Socket socket, SendAway send_away);
    /// MQTT without WebSocket.
    TaskSet::Beginning serve_mqtt(Socket socket, SendAway send_away);

 private:
    TaskSet::Beginning serve_http(Socket socket, SendAway send_away, Security security);
    asio::awaitable<void> serve_requests(ClientConnection& client);
    asio::awaitable<std::optional<http::Request>> next_request(ClientConnection& client);
    asio::awaitable<bool> answer(ClientConnection& client, http::Request request);
    std::optional<http::Response> identify(ClientConnection& client, const http::Request& request);
    asio::awaitable<bool> route(ClientConnection& client, const http::Request& request);
    asio::awaitable<bool> serve_mqtt_upgrade(ClientConnection& client, const http::Request& request);
    asio::awaitable<void> close(ClientConnection& client);

    HubContext& hub_;
};

/// The subprotocol that a client of MQTT over WebSocket offered, in its own spelling; empty: it offered no MQTT 3.1.1.
std::string offered_mqtt(const http::Request& request);

}  // namespace device_streams::hub
