#pragma once

#include "common/base/clock.hpp"
#include "common/base/endpoint.hpp"
#include "common/net/socket.hpp"

#include <asio/awaitable.hpp>

#include <cstdint>
#include <optional>

namespace device_streams {

/// dial() for what lies beyond this machine's network, with `mss` as connect_first() has it. IPv4 addresses that a
/// machine with nothing but IPv6 has no route to are reached through the network's NAT64, if its DNS tells of one (RFC
/// 7050); where none leads there the error says so.
asio::awaitable<Socket> dial_out(Endpoint endpoint, std::optional<std::uint16_t> mss, Clock& clock);

}  // namespace device_streams
