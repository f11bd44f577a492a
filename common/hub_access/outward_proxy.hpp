#pragma once

#include "common/base/clock.hpp"
#include "common/base/no_proxy.hpp"
#include "common/base/proxy_url.hpp"
#include "common/net/raw_connection.hpp"
#include "common/tls/tls_context.hpp"

#include <asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace device_streams {

/// The proxy of the network that stands between this program and the hub.
struct OutwardProxy {
    ProxyUrl url;
    NoProxy except;                         ///< what is reached without it
    std::shared_ptr<const TlsContext> tls;  ///< with an https proxy
};

/// nullptr without a proxy. `ca_file` is for an https proxy, empty: the system's store. Throws as TlsContext::client().
std::shared_ptr<const OutwardProxy> make_outward_proxy(const std::optional<ProxyUrl>& url, const NoProxy& except,
                                                       const std::string& ca_file);
/// Whether both lead the same way.
bool same_proxy(const std::shared_ptr<const OutwardProxy>& one, const std::shared_ptr<const OutwardProxy>& other);

/// How patient the way through a proxy is, and how large its packets.
struct ProxyLimits {
    Clock::duration step;                   ///< for TCP, for TLS, and for the proxy's answer, each
    Clock::duration dead_after;             ///< see RawConnection::give_up_after
    std::optional<std::uint16_t> mss = {};  ///< as connect_first() has it
};

/// Connects to `target` through the proxy, which resolves its name: TCP, TLS with an https proxy, and the dialogue of
/// HTTP (ConnectRequest) or SOCKS (SocksRequest). Throws Failure (DS-211 to DS-217).
asio::awaitable<std::unique_ptr<RawConnection>> dial_through(std::shared_ptr<const OutwardProxy> proxy, Endpoint target,
                                                             ProxyLimits limits, Clock& clock);

}  // namespace device_streams
