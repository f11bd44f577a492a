#pragma once

#include "common/http/connection.hpp"
#include "hub/core/hub_context.hpp"
#include "hub/http/pending_leg_guard.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace device_streams::hub {

/// Answers POST /twins/{device}[/modules/{module}]/streams/{name} on a connection that lives on afterwards. False when
/// the service went away before the answer; the stream request is then cancelled. `slot` is let go once the
/// service's credential was good. `last_grant` becomes the stream of a service that keeps its connection for it.
asio::awaitable<bool> serve_stream_request(HubContext& hub, http::Connection& connection, http::Request request,
                                           std::string peer, std::optional<UnauthenticatedConnections::Slot>& slot,
                                           PendingLegGuard& pending_leg);

/// Seconds as the timeout headers carry them: decimal digits with an optional fraction. nullopt for anything else.
/// Values beyond a year are cut to it.
std::optional<Clock::duration> parse_timeout(std::string_view text);

}  // namespace device_streams::hub
