#pragma once

#include "common/base/clock.hpp"
#include "common/base/no_proxy.hpp"
#include "common/base/proxy_url.hpp"
#include "common/net/raw_connection.hpp"
#include "common/tls/tls_context.hpp"

#include <asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>

namespace device_streams {

/// The HTTP proxy that stands between this program and the hub.
struct HttpProxy {
    ProxyUrl url;
    NoProxy except;                         ///< what is reached without it
    std::shared_ptr<const TlsContext> tls;  ///< with an https proxy
};

/// nullptr without a proxy. `ca_file` is for an https proxy, empty: the system's store. Throws as TlsContext::client().
std::shared_ptr<const HttpProxy> make_http_proxy(const std::optional<ProxyUrl>& url, const NoProxy& except,
                                                 const std::string& ca_file);
/// Whether both lead the same way.
bool same_proxy(const std::shared_ptr<const HttpProxy>& one, const std::shared_ptr<const HttpProxy>& other);

/// How patient the way through a proxy is.
struct ProxyLimits {
    Clock::duration step;        ///< for TCP, for TLS, and for the proxy's answer, each
    Clock::duration dead_after;  ///< see RawConnection::give_up_after
};

/// Connects to `target` through the proxy, which resolves its name: TCP, TLS with an https proxy, and CONNECT (RFC 9110
/// section 9.3.6). Throws Failure (DS-211 to DS-217).
asio::awaitable<std::unique_ptr<RawConnection>> dial_through(std::shared_ptr<const HttpProxy> proxy, Endpoint target,
                                                             ProxyLimits limits, Clock& clock);

}  // namespace device_streams
