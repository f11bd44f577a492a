#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace device_streams::hub {

/// What shares limits on addresses, from the widest to the narrowest: the IPv4 address of `peer` (as describe() of
/// common/net names it), also when it comes mapped into IPv6; of an IPv6 address its /48, /56 and /64, as one customer
/// has all of one of these.
std::vector<std::string> sources_of(std::string_view peer);

/// The narrowest of them.
std::string source_of(std::string_view peer);

}  // namespace device_streams::hub
