#include "common/hub_access/dial_out.hpp"

#include "common/net/connect_first.hpp"
#include "common/net/look_up.hpp"
#include "common/net/nat64.hpp"

#include <asio/ip/udp.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>
#include <vector>

namespace device_streams {

namespace {

using asio::ip::udp;

// Somewhere far away: to learn whether IPv6 leads out of this network.
const auto beyond = asio::ip::make_address_v6("64:ff9b::c000:aa");

// Whether the kernel knows a way there; nothing is sent.
bool has_route(const asio::any_io_executor& executor, const asio::ip::address& address) {
    const udp::endpoint there(address, 9);
    asio::error_code none;
    udp::socket probe(executor);
    probe.open(there.protocol(), none);
    if (!none) probe.connect(there, none);
    return !none;
}

bool is_ipv4(const SocketAddress& address) {
    const auto found = tcp_address(address);
    return found && found->address().is_v4();
}

bool lacks_ipv4(const asio::any_io_executor& executor, const std::vector<SocketAddress>& addresses) {
    const auto out_of_reach = [&](const SocketAddress& address) {
        return is_ipv4(address) && !has_route(executor, tcp_address(address)->address());
    };
    return std::ranges::any_of(addresses, out_of_reach) && has_route(executor, beyond);
}

// None when the name has no IPv6 address, or DNS does not answer.
asio::awaitable<std::vector<Nat64Prefix>> find_nat64() {
    std::vector<asio::ip::address_v6> found;
    const Endpoint asked{.host = ipv4_only_name, .port = 0, .path = {}};
    try {
        const auto addresses = co_await look_up(asked);
        for (const auto& address : addresses)
            if (!is_ipv4(address)) found.push_back(tcp_address(address)->address().to_v6());
    } catch (const std::system_error& unknown) {
        if (unknown.code() == asio::error::operation_aborted) throw;
    }
    co_return nat64_prefixes(found);
}

// In their order, with what a NAT64 makes of the IPv4 addresses that it translates.
std::vector<SocketAddress> through(const std::vector<Nat64Prefix>& prefixes,
                                   const std::vector<SocketAddress>& addresses) {
    std::vector<SocketAddress> translated;
    for (const auto& address : addresses) {
        const auto before = translated.size();
        const auto ip = *tcp_address(address);
        for (const auto& prefix : prefixes) {
            const auto inside = is_ipv4(address) ? embed(prefix, ip.address().to_v4()) : std::nullopt;
            if (inside) translated.emplace_back(asio::ip::tcp::endpoint(*inside, ip.port()));
        }
        if (translated.size() == before) translated.push_back(address);
    }
    return translated;
}

asio::awaitable<Socket> connect_without_ipv4(std::vector<SocketAddress> addresses, std::optional<std::uint16_t> mss,
                                             Clock& clock) {
    const auto prefixes = co_await find_nat64();
    try {
        auto connected = co_await connect_first(through(prefixes, addresses), clock, mss);
        co_return connected;
    } catch (const std::system_error& failure) {
        if (failure.code() != asio::error::network_unreachable) throw;
        throw std::system_error(
            failure.code(),
            "this machine has no IPv4, and DNS names no NAT64 that leads there (ipv4only.arpa); use "
            "a DNS server with DNS64, or an IPv6 address instead");
    }
}

}  // namespace

asio::awaitable<Socket> dial_out(Endpoint endpoint, std::optional<std::uint16_t> mss, Clock& clock) {
    const auto executor = co_await asio::this_coro::executor;
    auto addresses = co_await look_up(std::move(endpoint));
    const bool no_ipv4 = lacks_ipv4(executor, addresses);
    auto connecting = no_ipv4 ? connect_without_ipv4(std::move(addresses), mss, clock)
                              : connect_first(std::move(addresses), clock, mss);
    auto connected = co_await std::move(connecting);
    co_return connected;
}

}  // namespace device_streams
