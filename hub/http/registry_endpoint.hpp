#pragma once

#include "common/http/connection.hpp"
#include "hub/core/hub_context.hpp"

#include <optional>
#include <string>

namespace device_streams::hub {

/// Answers a request to the identity registry (is_registry_path) on a connection that lives on afterwards. Whoever may
/// not read or write the registry hears one and the same, before anything of the request but its method is looked at.
/// `slot` is let go once the service's credential was good.
asio::awaitable<void> serve_registry_request(HubContext& hub, http::Connection& connection, http::Request request,
                                             std::string peer, std::optional<UnauthenticatedConnections::Slot>& slot);

}  // namespace device_streams::hub
