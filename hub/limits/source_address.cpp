#include "hub/limits/source_address.hpp"

#include "common/base/ip_network.hpp"
#include "common/net/socket_address.hpp"

#include <algorithm>

namespace device_streams::hub {

std::string source_of(std::string_view peer) {
    const auto host = host_of(peer);
    const auto address = parse_ip_address(host);
    if (!address || address->is_v4()) return address ? address->to_string() : std::string(host);
    auto bytes = address->to_v6().to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
    return asio::ip::make_address_v6(bytes).to_string() + "/64";
}

}  // namespace device_streams::hub
