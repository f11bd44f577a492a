#pragma once

#include "common/http/connection.hpp"

#include <string>

namespace device_streams::ws {

/// What a client asks for (RFC 6455 section 4.1).
struct ClientHandshake {
    std::string host;         ///< Host header
    std::string target;       ///< path and query
    std::string subprotocol;  ///< empty: none
    http::Headers extra;      ///< Authorization and so on
};

/// Sends the upgrade over `connection` and checks the answer: 101, Upgrade, Connection, accept hash, no subprotocol or
/// extension that was not asked for. Returns the answer; one that is not 101 is returned too, for the caller to
/// explain. Throws StreamError(protocol_violation) for a wrong 101.
asio::awaitable<http::Response> upgrade(http::Connection& connection, ClientHandshake ask);

/// True when the request asks for a WebSocket upgrade, rightly or wrongly.
bool is_upgrade(const http::Request& request);
/// The answer to an upgrade request: 101 with the accept hash, 426 when it asks for no WebSocket of version 13 (RFC
/// 9110 section 15.5.22), or 400 when it is wrong. Extensions are never negotiated; `subprotocol` is echoed when not
/// empty.
http::Response answer_upgrade(const http::Request& request, const std::string& subprotocol);
/// The first subprotocol the client offers, in its spelling; empty when it offers none.
std::string first_subprotocol(const http::Request& request);
/// base64(SHA-1(key + GUID)).
std::string accept_hash(const std::string& key);

}  // namespace device_streams::ws
