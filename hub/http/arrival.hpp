#pragma once

#include "common/net/socket.hpp"
#include "hub/core/hub_context.hpp"

#include <memory>
#include <optional>
#include <string>

namespace device_streams::hub {

/// A connection that was let in, up to its first request or packet.
struct Arrival {
    std::unique_ptr<Transport> transport;
    std::string
        peer;  ///< whom it is for: the client of a trusted proxy that has sent a PROXY header, else who connected
    UnauthenticatedConnections::Slot slot;
    SendAway send_away;
};

enum class Security { tls, plain };

/// What comes before the first request: the limits on connections without a login, the PROXY header of a trusted proxy,
/// and TLS; all within limits.tls_timeout. nullopt: it did not come about, which the log says, or the hub is stopping.
/// A connection on which nothing was said is a probe and not worth a line.
asio::awaitable<std::optional<Arrival>> let_in(HubContext& hub, Socket socket, SendAway send_away, Security security);

/// Counts a connection without a login for `peer`. Where there are too many another one goes (`send_away` is how this
/// one would), and if none can this is nullopt; the log says either.
std::optional<UnauthenticatedConnections::Slot> take_slot(HubContext& hub, const std::string& peer, SendAway send_away);

}  // namespace device_streams::hub
