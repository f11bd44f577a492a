#pragma once

#include "hub/http/client_connection.hpp"

namespace device_streams::hub {

/// Serves GET /bridges/...: checks the token, upgrades to a WebSocket, answers 101 at once, and waits until the other
/// leg is there, reading no further than the first payload; then the stream leaves this coroutine for its bridge. True
/// when the leg was refused and the connection lives on for another request.
asio::awaitable<bool> serve_leg(ClientConnection& client, const http::Request& request);

/// Makes the connection the leg of a stream by sending `answer`, and serves it as above. The verdict; other than
/// admitted, nothing was sent.
asio::awaitable<Admission::Verdict> attach_leg(ClientConnection& client, http::Response answer,
                                               LegTokens::Checked leg_grant);

}  // namespace device_streams::hub
