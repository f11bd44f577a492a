#pragma once

#include <asio/ip/address_v4.hpp>
#include <asio/ip/address_v6.hpp>

#include <optional>
#include <span>
#include <vector>

namespace device_streams {

/// The name that has two IPv4 addresses and no IPv6 address: who gets one for it is behind DNS64 (RFC 7050).
inline constexpr const char* ipv4_only_name = "ipv4only.arpa.";

/// What a NAT64 puts in front of IPv4 addresses (RFC 6052 section 2.2).
struct Nat64Prefix {
    asio::ip::address_v6::bytes_type bytes{};  ///< zero behind the prefix
    unsigned length = 96;                      ///< in bits: 32, 40, 48, 56, 64 or 96
    bool operator==(const Nat64Prefix&) const = default;
};

/// The prefixes, each once, that the IPv6 addresses of ipv4_only_name were made with (RFC 7050 section 3). Addresses
/// that were not made so, or could have been in more than one way, do not count.
std::vector<Nat64Prefix> nat64_prefixes(std::span<const asio::ip::address_v6> found);

/// The IPv6 address under which a NAT64 takes connections to an IPv4 address (RFC 6052 section 2.2). nullopt: it takes
/// none, since the well-known prefix 64:ff9b::/96 is for global addresses only (section 3.1).
std::optional<asio::ip::address_v6> embed(const Nat64Prefix& prefix, const asio::ip::address_v4& address);

}  // namespace device_streams
