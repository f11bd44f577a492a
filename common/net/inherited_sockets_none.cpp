#include "common/net/inherited_sockets.hpp"

namespace device_streams {

InheritedSockets::InheritedSockets(const std::vector<SocketHandle>& listening) {
    for (const auto handle : listening) entries_.push_back({handle, {}});
}

InheritedSockets::~InheritedSockets() {
    for (const auto& entry : entries_) socket_calls::close(entry.handle);
}

SocketHandle InheritedSockets::duplicate(const Endpoint&) {
    return no_socket;
}

std::vector<std::string> InheritedSockets::unused() const {
    return std::vector<std::string>(entries_.size(), "of an unknown kind");
}

}  // namespace device_streams
