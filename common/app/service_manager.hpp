#pragma once

#include "common/net/socket_calls.hpp"

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

/// What the service manager, such as systemd, is told and asked; without one nothing happens.
namespace device_streams::service_manager {

/// Started, or done with reloading.
void ready();
/// A reload begins; ready() ends it.
void reloading();
void stopping();
/// One line for `systemctl status`.
void status(std::string_view text);
/// Another process takes over; this one goes on with what it has. For the keeper (keeper/keeper.hpp), which then ends.
void handed_over();

/// How often the watchdog wants to hear alive(), with room to be late; nullopt: there is no watchdog.
std::optional<std::chrono::milliseconds> watchdog_beat();
/// Feeds the watchdog. False when the keeper is gone: its restart would start another process beside this
/// one.
bool alive();

/// The listening sockets that came with the start (LISTEN_FDS of socket activation); at the first call only, which must
/// come before other threads are there.
std::vector<SocketHandle> take_listening_sockets();

}  // namespace device_streams::service_manager
