#pragma once

#include "common/base/clock.hpp"
#include "common/net/socket.hpp"

#include <asio/awaitable.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace device_streams {

/// Tries the addresses in order, side by side, each with a head start of 250 ms before the next (RFC 8305), and keeps
/// the first that connects; `mss` as in socket_options::limit_segments, nullopt: the system's. Throws
/// std::system_error: the error of the last that failed.
asio::awaitable<Socket> connect_first(std::vector<SocketAddress> addresses, Clock& clock,
                                      std::optional<std::uint16_t> mss = {});

}  // namespace device_streams
