#pragma once

#include "common/tunnel/features.hpp"
#include "common/ws/ws_stream.hpp"

namespace device_streams {

/// How a leg behaves, at either end of it, given what was negotiated. `clock` must outlive the leg.
ws::WsOptions leg_options(ws::Role role, const Features& features, const Liveness& liveness, Clock& clock);

}  // namespace device_streams
