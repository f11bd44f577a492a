#pragma once

#include "hub/http/client_connection.hpp"

namespace device_streams::hub {

/// Answers a request to the identity registry (is_registry_path) on a connection that lives on afterwards. A service
/// that may not read or write the registry hears one and the same, before anything of the request but its method is
/// looked at.
asio::awaitable<void> serve_registry_request(ClientConnection& client, const http::Request& request);

}  // namespace device_streams::hub
