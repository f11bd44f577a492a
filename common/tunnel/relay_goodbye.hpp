#pragma once

#include "common/tunnel/relay_state.hpp"

#include <asio/awaitable.hpp>

namespace device_streams {

/// Ends both legs of a relay that is over, each in its time, and tells them `told`. A local program sees a clean end
/// only once the other one has agreed.
asio::awaitable<void> close_legs(Leg left, Leg right, RelayState& state, CloseReason told);

}  // namespace device_streams
