#pragma once

#include "common/http/message.hpp"
#include "common/net/byte_stream.hpp"

namespace device_streams {

/// The claim that the connection of a stream request speaks for its service: when it ends before the service's leg is
/// there, the service is gone (docs/wire-extensions.md, "Timing"). It holds on the very TLS connection it was made for,
/// so that a proxy in between, which ends and reuses its connections as it likes, cannot pass it on by mistake.
///
/// Adds the hop-by-hop field `stream-owner`; nothing on a connection that has no channel binding.
void add_stream_owner(http::Headers& headers, const Transport& connection);
/// Whether a request that came over `connection` makes the claim, and rightly so.
bool is_stream_owner(const http::Headers& headers, const Transport& connection);

}  // namespace device_streams
