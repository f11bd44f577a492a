#pragma once

#include "common/config/values.hpp"
#include "service-proxy/service_proxy_config.hpp"

namespace device_streams::service {

/// `[bind:]port:device[/service]`, as in ssh -L; an IPv6 address to bind stands in brackets, and without one it is
/// 127.0.0.1. Or `unix:path:device[/service]`, with a path without colons. The device id may hold colons; one that
/// ends like a port needs its service. Throws BadValue.
Forward parse_forward(const RawValue& raw);

/// `device[/service]`. Throws BadValue.
Forward parse_destination(const RawValue& raw);

}  // namespace device_streams::service
