#include "common/base/ip_network.hpp"

#include "common/text/decimal.hpp"

#include <asio/ip/network_v4.hpp>
#include <asio/ip/network_v6.hpp>

namespace device_streams {

namespace {

unsigned width(const asio::ip::address& address) {
    return address.is_v4() ? 32 : 128;
}

asio::ip::address first_in_block(const asio::ip::address& address, unsigned bits) {
    const auto length = static_cast<unsigned short>(bits);
    if (address.is_v4()) return asio::ip::network_v4(address.to_v4(), length).network();
    return asio::ip::network_v6(address.to_v6(), length).network();
}

}  // namespace

std::optional<asio::ip::address> parse_ip_address(std::string_view text) {
    if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
    asio::error_code not_one;
    const auto address = asio::ip::make_address(std::string(text), not_one);
    return not_one ? std::nullopt : std::optional(unmapped(address));
}

asio::ip::address unmapped(const asio::ip::address& address) {
    if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
}

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = parse_ip_address(text.substr(0, slash));
    if (!address) return std::nullopt;
    auto bits = width(*address);
    if (slash != std::string_view::npos) {
        const auto given = parse_decimal<unsigned>(text.substr(slash + 1));
        if (!given || *given > bits) return std::nullopt;
        bits = *given;
    }
    return IpNetwork(first_in_block(*address, bits), bits);
}

bool IpNetwork::contains(const asio::ip::address& address) const {
    return address.is_v4() == first_.is_v4() && first_in_block(address, bits_) == first_;
}

std::string IpNetwork::to_string() const {
    const auto text = first_.to_string();
    return bits_ == width(first_) ? text : text + "/" + std::to_string(bits_);
}

}  // namespace device_streams
