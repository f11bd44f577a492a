#pragma once

#include "hub/core/hub_context.hpp"
#include "hub/streams/bridge.hpp"

#include <functional>
#include <string>
#include <vector>

namespace device_streams::hub {

/// For a hub that stops: others may change its registry then, and cannot tell it. Compares what running streams rest on
/// with the registry and with the CAs of devices (`trusted` reads their ids afresh), twice a second, and revokes what
/// is gone, until it is cancelled.
asio::awaitable<void> watch_for_revocations(HubContext& hub, const Bridges& bridges,
                                            std::function<std::vector<std::string>()> trusted);

}  // namespace device_streams::hub
