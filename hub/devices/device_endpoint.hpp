#pragma once

#include "common/async/task_set.hpp"
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

/// Lets a device log in over TLS or WebSocket, which is logged either way. What is returned is its link, from here to
/// its end; nullptr: it was refused, and `stream` has ended. `slot` is let go once the device has logged in.
asio::awaitable<std::unique_ptr<Continuation>> log_device_in(HubContext& hub, std::unique_ptr<ByteStream> stream,
                                                             LinkOrigin from, UnauthenticatedConnections::Slot slot);

}  // namespace device_streams::hub
