#pragma once

#include <string>
#include <string_view>

namespace device_streams::hub {

/// What shares a limit on addresses: the IPv4 address of `peer` (as describe() of common/net names it), also when it
/// comes mapped into IPv6, or the /64 of its IPv6 address, as one customer has all of it.
std::string source_of(std::string_view peer);

}  // namespace device_streams::hub
