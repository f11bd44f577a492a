#pragma once

#include "common/base/system_user.hpp"
#include "common/net/socket.hpp"

#include <optional>

namespace device_streams {

/// Whose program is at the other end: of a Unix socket the one that connected, of a TCP connection from this machine
/// the one that has it open. nullopt: it comes from another machine, has gone already, or the system does not tell, as
/// for users that a user namespace does not map.
std::optional<UserId> peer_user(const Socket& socket);

}  // namespace device_streams
