#pragma once

#include <asio/ip/address.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace device_streams {

/// An address with or without brackets; IPv4 that is mapped into IPv6 is IPv4. nullopt for anything else.
std::optional<asio::ip::address> parse_ip_address(std::string_view text);
/// IPv4 for what was mapped into IPv6 (RFC 4291 section 2.5.5.2), as by a socket that takes both.
asio::ip::address unmapped(const asio::ip::address& address);

/// A block of IP addresses (RFC 4632), or one address.
class IpNetwork {
 public:
    /// `10.0.0.0/8`, `2001:db8::/32`, or an address alone; bits behind the prefix do not count. nullopt for anything
    /// else.
    static std::optional<IpNetwork> parse(std::string_view text);

    bool contains(const asio::ip::address& address) const;
    std::string to_string() const;
    bool operator==(const IpNetwork&) const = default;

 private:
    IpNetwork(asio::ip::address first, unsigned bits) : first_(std::move(first)), bits_(bits) {}

    asio::ip::address first_;
    unsigned bits_;
};

}  // namespace device_streams
