#pragma once

#include "hub/http/client_connection.hpp"

namespace device_streams::hub {

/// Answers POST /twins/{device}[/modules/{module}]/streams/{name} on a connection that lives on afterwards. False when
/// it has become the leg of its stream, or the service went away before the answer; the stream request is then
/// cancelled.
asio::awaitable<bool> serve_stream_request(ClientConnection& client, const http::Request& request);

}  // namespace device_streams::hub
