#include "common/app/service_manager.hpp"

#include <systemd/sd-daemon.h>

#include <chrono>
#include <string>

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

}  // namespace device_streams::service_manager
