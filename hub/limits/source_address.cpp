#include "hub/limits/source_address.hpp"

#include "common/base/ip_network.hpp"
#include "common/net/socket_address.hpp"

#include <algorithm>

namespace device_streams::hub {

std::vector<std::string> sources_of(std::string_view peer) {
    const auto host = host_of(peer);
    const auto address = parse_ip_address(host);
    if (!address || address->is_v4()) return {address ? address->to_string() : std::string(host)};
    std::vector<std::string> networks;
    for (const int bits : {48, 56, 64}) {
        auto bytes = address->to_v6().to_bytes();
        std::fill(bytes.begin() + bits / 8, bytes.end(), static_cast<unsigned char>(0));
        networks.push_back(asio::ip::make_address_v6(bytes).to_string() + "/" + std::to_string(bits));
    }
    return networks;
}

std::string source_of(std::string_view peer) {
    return sources_of(peer).back();
}

}  // namespace device_streams::hub
