#include "hub/limits/source_address.hpp"

#include <asio/ip/address.hpp>

#include <algorithm>

namespace device_streams::hub {

std::string source_of(std::string_view peer) {
    auto host = peer.substr(0, peer.rfind(':'));
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    asio::error_code malformed;
    const auto address = asio::ip::make_address(host, malformed);
    if (malformed || address.is_v4()) return std::string(host);
    const auto v6 = address.to_v6();
    if (v6.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_string();
    auto bytes = v6.to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
    return asio::ip::make_address_v6(bytes).to_string() + "/64";
}

}  // namespace device_streams::hub
