#include "common/app/service_manager.hpp"

#include <systemd/sd-daemon.h>

#include <cerrno>
#include <string>
#include <sys/socket.h>

namespace device_streams::service_manager {

namespace {
// A service manager that cannot be told is no reason to stop working.
void notify(const std::string& state) {
    static_cast<void>(::sd_notify(0, state.c_str()));
}
}  // namespace

void ready() {
    notify("READY=1");
}

void reloading() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
    notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds));
}

void stopping() {
    notify("STOPPING=1");
}

void status(std::string_view text) {
    notify("STATUS=" + std::string(text));
}

void handed_over() {
    notify("HANDED_OVER=1");
}

std::optional<std::chrono::milliseconds> watchdog_beat() {
    std::uint64_t microseconds = 0;
    if (::sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::microseconds(microseconds / 3));
}

bool alive() {
    return ::sd_notify(0, "WATCHDOG=1") != -ECONNREFUSED;
}

std::vector<SocketHandle> take_listening_sockets() {
    std::vector<SocketHandle> sockets;
    const int count = ::sd_listen_fds(1);
    for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + count; ++fd) {
        if (::sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) > 0) sockets.push_back(fd);
    }
    return sockets;
}

}  // namespace device_streams::service_manager
