#pragma once

#include "common/base/clock.hpp"
#include "common/base/endpoint.hpp"
#include "common/net/socket.hpp"

namespace device_streams {

/// Connects to an endpoint: resolves the name off the I/O threads, tries the addresses in order with a head start of
/// 250 ms each (RFC 8305), and keeps the first that connects. Bounded by the caller's timeout; cancellation frees
/// everything but a running name lookup, which ends by itself.
/// Throws std::system_error: asio::error::host_not_found when the name is unknown, else the last connect error.
asio::awaitable<Socket> dial(Endpoint endpoint, Clock& clock);

}  // namespace device_streams
