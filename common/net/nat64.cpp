#include "common/net/nat64.hpp"

#include "common/base/ip_network.hpp"

#include <algorithm>
#include <array>

namespace device_streams {

namespace {

using asio::ip::address_v4;
using asio::ip::address_v6;

constexpr std::array<unsigned, 6> lengths{32, 40, 48, 56, 64, 96};
constexpr std::size_t reserved_byte = 8;  // bits 64 to 71 are zero and carry nothing
// Of ipv4_only_name: 192.0.0.170 and 192.0.0.171.
constexpr std::array<address_v4::bytes_type, 2> known_addresses{{{192, 0, 0, 170}, {192, 0, 0, 171}}};
constexpr Nat64Prefix well_known{.bytes = {0x00, 0x64, 0xff, 0x9b}, .length = 96};

// Where the bytes of an IPv4 address stand behind a prefix.
std::array<std::size_t, 4> places(unsigned length) {
    std::array<std::size_t, 4> found{};
    std::size_t next = length / 8;
    for (auto& place : found) {
        if (next == reserved_byte && length < 96) ++next;
        place = next++;
    }
    return found;
}

bool holds_known_address(const address_v6::bytes_type& bytes, unsigned length) {
    if (bytes[reserved_byte] != 0) return false;
    address_v4::bytes_type held{};
    std::ranges::transform(places(length), held.begin(), [&](std::size_t place) { return bytes[place]; });
    return std::ranges::find(known_addresses, held) != known_addresses.end();
}

std::optional<Nat64Prefix> prefix_of(const address_v6& address) {
    const auto bytes = address.to_bytes();
    const auto fits = [&](unsigned length) { return holds_known_address(bytes, length); };
    if (std::ranges::count_if(lengths, fits) != 1) return std::nullopt;
    Nat64Prefix prefix{.length = *std::ranges::find_if(lengths, fits)};
    std::copy_n(bytes.begin(), prefix.length / 8, prefix.bytes.begin());
    return prefix;
}

// RFC 5735 section 3 without the networks for documents, which nobody has.
bool is_global(const address_v4& address) {
    static const auto others = [] {
        std::vector<IpNetwork> parsed;
        for (const auto* text : {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
                                 "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3"})
            parsed.push_back(*IpNetwork::parse(text));
        return parsed;
    }();
    return std::ranges::none_of(others, [&](const IpNetwork& network) { return network.contains(address); });
}

}  // namespace

std::vector<Nat64Prefix> nat64_prefixes(std::span<const address_v6> found) {
    std::vector<Nat64Prefix> prefixes;
    for (const auto& address : found) {
        const auto prefix = prefix_of(address);
        if (prefix && std::ranges::find(prefixes, *prefix) == prefixes.end()) prefixes.push_back(*prefix);
    }
    return prefixes;
}

std::optional<address_v6> embed(const Nat64Prefix& prefix, const address_v4& address) {
    if (prefix == well_known && !is_global(address)) return std::nullopt;
    auto bytes = prefix.bytes;
    const auto from = address.to_bytes();
    const auto to = places(prefix.length);
    for (std::size_t i = 0; i < from.size(); ++i) bytes[to[i]] = from[i];
    return address_v6(bytes);
}

}  // namespace device_streams
