#pragma once

#include "common/http/connection.hpp"
#include "hub/core/hub_context.hpp"

#include <optional>
#include <string>

namespace device_streams::hub {

/// Serves GET /bridges/...: checks the token, upgrades to a WebSocket, answers 101 at once, and waits until the other
/// leg is there, reading no further than the first payload; then the stream leaves this coroutine for its bridge. True
/// when the leg was refused and the connection lives on for another request. `slot` is let go once the leg is
/// admitted.
asio::awaitable<bool> serve_leg(HubContext& hub, http::Connection& connection, http::Request request, std::string peer,
                                std::optional<UnauthenticatedConnections::Slot>& slot);

/// Makes the connection the leg of a stream by sending `answer`, and serves it as above. The verdict; other than
/// admitted, nothing was sent.
asio::awaitable<Admission::Verdict> attach_leg(HubContext& hub, http::Connection& connection, std::string peer,
                                               http::Response answer, LegTokens::Checked place,
                                               std::optional<UnauthenticatedConnections::Slot>& slot);

}  // namespace device_streams::hub
