#pragma once

#include "common/net/byte_stream.hpp"
#include "hub/audit/resource_record.hpp"
#include "hub/core/hub_context.hpp"

#include <memory>
#include <string>

namespace device_streams::hub {

/// Where a link comes from.
struct LinkOrigin {
    std::string peer;  ///< address:port
    LinkProtocol protocol = LinkProtocol::mqtt;
    std::optional<ClientCertificate> shown{};  ///< by the client of the TLS connection below
};

/// Serves one MQTT link over TLS or WebSocket from CONNECT to its end, and logs both. `slot` is let go once the
/// device has logged in.
asio::awaitable<void> serve_device(HubContext& hub, std::unique_ptr<ByteStream> stream, LinkOrigin from,
                                   UnauthenticatedConnections::Slot slot);

}  // namespace device_streams::hub
