#pragma once

#include "common/http/message.hpp"
#include "hub/core/hub_context.hpp"

#include <optional>
#include <string_view>

/// The POST that opens a stream, and its answers, as HTTP messages (docs/protocol.md 3).
namespace device_streams::hub {

/// Throws RequestRefused for a request that is malformed.
OpenRequest read_open_request(const http::Request& request);

/// Seconds as the timeout headers carry them: decimal digits with an optional fraction. nullopt for anything else.
/// Values beyond a year are cut to it.
std::optional<Clock::duration> parse_timeout(std::string_view text);

/// The answer to a request for a stream of `target`. For a granted one it signs the token of the service's leg.
http::Response stream_answer(const HubContext& hub, const iothub::Target& target, const RequestResult& result);

/// The answer that turns the connection of a service of ours into its leg.
http::Response leg_upgrade_answer(const Granted& granted);

}  // namespace device_streams::hub
