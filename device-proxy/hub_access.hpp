#pragma once

#include "common/base/clock.hpp"
#include "common/base/endpoint.hpp"
#include "common/base/error.hpp"
#include "common/net/tls_stream.hpp"
#include "common/ws/handshake.hpp"
#include "common/ws/ws_stream.hpp"

#include <asio/error.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>

namespace device_streams::device {

/// The way to the hub, for the link and for the streams' legs. Whatever is dialled, certificates must be for the name
/// that the connection string or the stream's URL says.
struct HubAccess {
    std::string host_name;     ///< of the connection string
    std::string connect_host;  ///< where to connect instead of host_name; empty: host_name
    std::shared_ptr<const TlsContext> tls;
    Clock::duration phase_limit = std::chrono::seconds(10);  ///< for TCP, TLS and WebSocket upgrade, each

    /// Where to connect for something at `named`.
    Endpoint route(const Endpoint& named) const;
};

/// The hub answered an upgrade with something other than 101.
struct UpgradeRefused : std::runtime_error {
    explicit UpgradeRefused(int http_status);
    int status;
};

/// TCP and TLS to `named`. Throws Failure with DS-201 to DS-205.
asio::awaitable<std::unique_ptr<TlsStream>> open_tls(HubAccess hub, Endpoint named, Clock& clock);

/// open_tls and the upgrade (the Host header is set here). Throws Failure, or UpgradeRefused.
asio::awaitable<std::unique_ptr<ws::WsStream>> open_websocket(HubAccess hub, Endpoint named, ws::ClientHandshake ask,
                                                              ws::WsOptions options, Clock& clock);

/// True when `code` is `what`, be it from the system's category or from Asio's own, which Asio 1.22 keeps apart.
bool is_error(const std::error_code& code, asio::error::basic_errors what);

/// Inside a catch block: throws what was caught as a Failure of the way to the hub; `during` says what was tried,
/// `otherwise` is the code for failures that have none of their own. Cancellation passes unchanged.
[[noreturn]] void rethrow_as_hub_failure(Errc otherwise, const std::string& during);

}  // namespace device_streams::device
