#pragma once

#include "common/base/clock.hpp"
#include "common/base/endpoint.hpp"
#include "common/base/error.hpp"
#include "common/base/secret.hpp"
#include "common/base/stream_limits.hpp"
#include "common/http/connection.hpp"
#include "common/hub_access/outward_proxy.hpp"
#include "common/tls/tls_stream.hpp"
#include "common/ws/handshake.hpp"
#include "common/ws/ws_stream.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace device_streams {

/// A proxy's way to the hub: for the link, for stream requests and for the streams' legs. Whatever is dialled,
/// certificates must be for the name that the connection string or the stream's URL says.
struct HubAccess {
    std::string host_name;         ///< of the connection string
    std::string connect_host;      ///< where to connect instead of host_name; empty: host_name
    std::string path_prefix = {};  ///< in front of the paths of links and stream requests; empty: none
    std::shared_ptr<const TlsContext> tls;
    std::shared_ptr<const OutwardProxy> proxy = {};      ///< on the way to the hub; nullptr: none
    std::optional<std::uint16_t> mss = {};               ///< of TCP, as connect_first() has it
    Clock::duration timeout = std::chrono::seconds(10);  ///< of TCP with TLS, each step through a proxy, an upgrade
    Liveness liveness;                                   ///< of the streams' legs

    /// Where to connect for something at `named`: the override counts for the hub's own name only.
    Endpoint route(const Endpoint& named) const;
    /// The proxy on the way to `named`; nullptr: it is reached without.
    std::shared_ptr<const OutwardProxy> proxy_to(const Endpoint& named) const;
    /// "direct", or the proxy on the way to the hub; for logs.
    std::string way() const;
};

/// What went wrong on the way to the hub as a Failure (DS-201 to DS-206, or `otherwise`) that says what was tried;
/// Failures pass as they are. Cancellation must be sorted out before.
Failure hub_failure(const std::exception_ptr& cause, Errc otherwise, const std::string& during);

/// TCP and TLS to `named`, both within the timeout: a hub that accepts and then says nothing is as far away as one that
/// does not. With a proxy on the way TCP leads to it, and TLS to the hub goes through it. Throws Failure (DS-201 to
/// DS-205, DS-211 to DS-217).
asio::awaitable<std::unique_ptr<TlsStream>> open_tls(HubAccess hub, Endpoint named, Clock& clock);

/// The answer to an upgrade at `named` that is under way, 101 or not. Throws Failure (DS-205, DS-206 or DS-201).
asio::awaitable<http::Response> upgrade_answer(asio::awaitable<http::Response> upgrading, Endpoint named);
/// Whether an upgrade was refused because it did not arrive as one.
bool lost_upgrade(const http::Response& answer);
/// "HTTP 404 Not Found", for logs.
std::string status_text(const http::Response& answer);
/// The WebSocket that a connection has become by its last answer.
std::unique_ptr<ws::WsStream> as_stream(std::unique_ptr<http::Connection> connection, ws::WsOptions options);

/// What the hub made of an upgrade.
struct Upgraded {
    http::Response answer;
    std::unique_ptr<ws::WsStream> stream;  ///< nullptr: the hub refused, the answer is not 101
};
/// Turns a connection to `named` into a WebSocket within `limit`; sets the Host header. Throws as upgrade_answer()
/// does.
asio::awaitable<Upgraded> upgrade(std::unique_ptr<http::Connection> connection, Endpoint named, ws::ClientHandshake ask,
                                  ws::WsOptions options, Clock::duration limit, Clock& clock);

/// What opens a leg: the target of the stream's URL and its token. Throws Failure(hub_protocol) when either holds
/// characters that could break out of the request.
ws::ClientHandshake leg_handshake(const std::string& target, const Secret& token, std::string_view user_agent);

}  // namespace device_streams
