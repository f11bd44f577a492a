#pragma once

#include "hub/http/client_connection.hpp"

#include <optional>
#include <string>

namespace device_streams::hub {

/// What the hub says to a service's request before any device hears of it.
struct StreamAccess {
    std::optional<Refused> refused{};
    std::string policy{};  ///< whose key was proved; empty: none, a stranger asks
    std::string reason{};  ///< of the rules' verdict; empty when it did not come to that
    ServiceGrant grant{};  ///< when nothing is refused
};

/// The header Authorization, then the rules of the policy, and only then whether the device exists: a service that may
/// not reach it learns nothing of it, not even by the time that the answer takes. Says in the log what it refuses.
/// Throws Failure when the registry fails.
asio::awaitable<StreamAccess> check_stream_access(const ClientConnection& client, Secret authorization,
                                                  const OpenRequest& open_request);

}  // namespace device_streams::hub
