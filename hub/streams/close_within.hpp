#pragma once

#include "common/base/clock.hpp"
#include "common/net/byte_stream.hpp"

namespace device_streams::hub {

/// Closes a stream within `limit`, or else cuts it; throws nothing.
asio::awaitable<void> close_within(ByteStream& stream, CloseReason close_reason, Clock::duration limit, Clock& clock);

}  // namespace device_streams::hub
