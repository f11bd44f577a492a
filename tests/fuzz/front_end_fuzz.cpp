#include "common/base/ip_network.hpp"
#include "common/net/proxy_protocol.hpp"
#include "common/net/socket_address.hpp"
#include "hub/http/forwarded.hpp"

#include <cstdlib>

using namespace device_streams;

namespace {

// Whatever a front end says, what comes out is the name of a peer.
void check(std::string_view peer) {
    const auto host = host_of(peer);
    if (peer != "unix" && !parse_ip_address(host)) std::abort();
}

void check(const std::optional<proxy_protocol::Header>& header) {
    if (header && !header->client.empty()) check(header->client);
}

}  // namespace

// The first byte says what the rest is: a PROXY line, a binary header, X-Forwarded-For, Forwarded, or an entry of
// trusted_proxies.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    const hub::TrustedProxies trusted{hub::TrustedProxy::parse("10.0.0.0/8").value()};
    const auto fixed = text.substr(0, proxy_protocol::fixed_size);
    switch (data[0] % 5) {
        case 0:
            check(proxy_protocol::parse_line(text));
            break;
        case 1:
            check(proxy_protocol::parse_binary(fixed, text.substr(fixed.size())));
            break;
        case 2:
            check(hub::forwarded_peer({{"X-Forwarded-For", std::string(text)}}, "10.0.0.1:1", trusted));
            break;
        case 3:
            try {
                check(hub::forwarded_peer({{"Forwarded", std::string(text)}}, "10.0.0.1:1", trusted));
            } catch (const hub::ForwardedFault&) {
            }
            break;
        default:
            if (const auto network = IpNetwork::parse(text);
                network && IpNetwork::parse(network->to_string()) != network)
                std::abort();
    }
    return 0;
}
