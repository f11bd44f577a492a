#include "common/net/peer_user.hpp"

namespace device_streams {

std::optional<UserId> peer_user(const Socket&) {
    return std::nullopt;
}

}  // namespace device_streams
