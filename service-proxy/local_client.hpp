#pragma once

#include "common/net/socket.hpp"

namespace device_streams::service {

/// Watches a local client whose stream is not up yet, without taking bytes: what it sends early stays in the kernel, as
/// does its end after them. Never returns; throws StreamError once the client is gone: reset at any time, or ended
/// before its first byte (CloseReason::clean).
asio::awaitable<void> until_client_leaves(Socket& client);

}  // namespace device_streams::service
