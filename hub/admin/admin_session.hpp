#pragma once

#include "common/base/endpoint.hpp"
#include "common/net/byte_stream.hpp"
#include "hub/admin/admin_commands.hpp"

#include <cstddef>
#include <string>

/// The admin socket's protocol: one request, one answer, each a line of JSON, then both ends close.
namespace device_streams::hub {

inline constexpr std::size_t admin_request_limit = 64 * 1024;  ///< bytes of a request line

/// Reads up to a line feed (dropped) or the end. Throws Failure(peer_oversize) beyond `limit` bytes.
asio::awaitable<std::string> read_line(ByteStream& stream, std::size_t limit);

/// The hub's end: reads a request, lets `commands` execute it, writes the answer. Bounded by the caller's timeout.
asio::awaitable<void> answer_admin_request(ByteStream& stream, AdminCommands& commands);

/// The command line's end: asks a running hub. Returns its answer; nullopt when nobody listens, so that nothing has
/// happened. Throws Failure(hub_not_running) when it ends in the middle, or says nothing for too long.
asio::awaitable<std::optional<nlohmann::json>> ask_running_hub(Endpoint admin_socket, nlohmann::json request,
                                                               Clock& clock);

}  // namespace device_streams::hub
