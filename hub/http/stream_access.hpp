#pragma once

#include "hub/http/rest_answer.hpp"

#include <optional>
#include <string>

namespace device_streams::hub {

/// What the hub says to a service's request before any device hears of it.
struct StreamAccess {
    std::optional<RestRefusal> denied{};
    std::string policy{};  ///< whose key was proved; empty: none, a stranger asks
    std::string reason{};  ///< of the rules' verdict; empty when it did not come to that
    ServiceGrant grant{};  ///< when nothing is denied
};

/// The header Authorization, then the rules of the policy, and only then whether the device exists: who may not reach
/// it learns nothing of it, not even by the time that the answer takes. `name`: of the stream. Says in the log what it
/// denies. Throws Failure when the registry fails.
asio::awaitable<StreamAccess> check_stream_access(HubContext& hub, Secret authorization, iothub::Target target,
                                                  std::string name, std::string peer);

}  // namespace device_streams::hub
