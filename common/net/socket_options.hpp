#pragma once

#include "common/net/socket_calls.hpp"
#include "common/net/transport_state.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>

/// What sockets are told and asked beside their bytes. None of it can fail: a socket that does not know an option, as
/// Unix sockets do not know those of TCP, goes on without it.
namespace device_streams {

/// Who may open a Unix socket: the user of this program only, the user's group too, or every user.
enum class SocketAccess { user, group, everybody };

}  // namespace device_streams

namespace device_streams::socket_options {

/// Small writes leave at once (TCP_NODELAY).
void send_at_once(SocketHandle handle);
/// A peer that sends nothing is probed; after as many probes without an answer the connection has timed out.
void probe(SocketHandle handle, int probes);
/// The silence before the first probe, and the time between two.
void time_probes(SocketHandle handle, std::chrono::seconds idle, std::chrono::seconds interval);
/// No segment has more payload than this, in either direction; before connect, or on a listening socket for those that
/// it accepts.
void limit_segments(SocketHandle handle, std::uint16_t size);
/// Whether the peer sees RST when the socket is closed, also by the end of this process. TCP only.
void reset_on_close(SocketHandle handle, bool yes);
/// Before bind: a TCP port whose old connections are still closing can be used, and IPv6 takes IPv4 along. A Unix
/// socket is open to this user only, from the first moment.
void prepare_to_listen(SocketHandle handle, int family);
/// Once a Unix socket is bound, and whatever the umask. False: see last_error().
bool admit(const std::string& path, SocketAccess access);

/// The failure that the kernel has kept for the next call, which then does not see it; none: no failure.
std::error_code take_error(SocketHandle handle);
/// nullopt: not known.
std::optional<TransportState> transport_state(SocketHandle handle);
/// Bytes that were sent and not yet acknowledged by the peer's kernel; 0 when that is not known.
std::size_t unacknowledged(SocketHandle handle);
/// nullopt: it is not bound, or not connected.
std::optional<SocketAddress> local_address(SocketHandle handle);
std::optional<SocketAddress> peer_address(SocketHandle handle);

/// How many descriptors this program may have.
std::size_t descriptor_limit();
/// True when accept failed by `error` because the process or the system has no more of something, and may work later.
bool is_exhaustion(const std::error_code& error);

}  // namespace device_streams::socket_options
