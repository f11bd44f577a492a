#pragma once

#include <string_view>

/// What systemd is told (sd_notify(3)); without a service manager nothing happens.
namespace device_streams::service_manager {

/// Started, or done with reloading.
void ready();
/// A reload begins; ready() ends it.
void reloading();
void stopping();
/// One line for `systemctl status`.
void status(std::string_view text);

}  // namespace device_streams::service_manager
