#pragma once

#include "common/base/endpoint.hpp"
#include "common/net/socket_address.hpp"

#include <asio/awaitable.hpp>

#include <vector>

namespace device_streams {

/// The addresses of an endpoint in the order in which they are to be tried: families take turns, starting with the
/// resolver's first choice (RFC 8305). Names are resolved off the I/O threads; a cancellation leaves a running lookup,
/// which ends by itself. Throws std::system_error: asio::error::host_not_found when the name is unknown.
asio::awaitable<std::vector<SocketAddress>> look_up(Endpoint endpoint);

}  // namespace device_streams
