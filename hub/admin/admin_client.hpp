#pragma once

#include "hub/admin/admin_commands.hpp"
#include "hub/admin/state_directory.hpp"

#include <string>

namespace device_streams::hub {

/// How a command line reaches a hub.
struct HubLocation {
    StateDirectory state;
    std::string admin_socket;  ///< path
    HubFacts facts;            ///< empty where no configuration was found
};

/// Lets the hub that runs there execute a request, or executes it on the registry when none runs. Returns the answer.
/// A hub that is stopping has given up its lock: it is held here meanwhile, so that the next hub does not start in the
/// middle of a change. Throws Failure(hub_not_running) for a hub that holds the lock and does not listen within
/// `patience` (it is starting), or does not answer.
asio::awaitable<nlohmann::json> administer(HubLocation location, nlohmann::json request, Clock::duration patience,
                                           Clock& clock);

}  // namespace device_streams::hub
