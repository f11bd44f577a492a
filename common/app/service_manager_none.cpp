#include "common/app/service_manager.hpp"

namespace device_streams::service_manager {

void ready() {
}
void reloading() {
}
void stopping() {
}
void status(std::string_view) {
}
void handed_over() {
}

std::optional<std::chrono::milliseconds> watchdog_beat() {
    return std::nullopt;
}

bool alive() {
    return true;
}

std::vector<SocketHandle> take_listening_sockets() {
    return {};
}

}  // namespace device_streams::service_manager
