#pragma once

#include "common/http/message.hpp"

namespace device_streams {

/// The step from a stream request to the service's leg on the same connection (docs/wire-extensions.md, "One
/// connection for request and leg"): HTTP's Upgrade (RFC 9110 section 7.8), so that a proxy in between that does not
/// know it takes it out, and nothing but the saved round trip is lost.
void add_leg_upgrade(http::Headers& headers);
/// Whether a request offers the step, or an answer takes it.
bool has_leg_upgrade(const http::Headers& headers);

}  // namespace device_streams
