#pragma once

#include "common/net/byte_stream.hpp"
#include "hub/hub_context.hpp"

#include <memory>
#include <string>

namespace device_streams::hub {

/// Serves one MQTT link over TLS or WebSocket from CONNECT to its end, and logs both. `visitor` is let go once the
/// device has logged in.
asio::awaitable<void> serve_device(HubContext& hub, std::unique_ptr<ByteStream> stream, std::string peer,
                                   Visitors::Visitor visitor, LinkProtocol protocol);

}  // namespace device_streams::hub
