#pragma once

#include "common/base/endpoint.hpp"
#include "common/base/secret.hpp"

#include <string>
#include <string_view>

namespace device_streams {

/// How a proxy is spoken to.
enum class ProxyKind {
    http,    ///< CONNECT
    https,   ///< CONNECT, by TLS with the proxy itself
    socks5,  ///< RFC 1928; the proxy resolves names
};

/// Where a proxy is, and our user name and password there.
struct ProxyUrl {
    ProxyKind kind = ProxyKind::http;
    Endpoint endpoint;
    Secret credentials = {};  ///< `user:password`, as Basic authentication (RFC 7617) has it; empty: none

    /// http://proxy:3128; without the credentials, for logs.
    std::string to_string() const;
    bool operator==(const ProxyUrl&) const = default;
};

/// `[scheme://][user:password@]host[:port]` with the scheme http, https, socks5h, socks5 or socks (the last three are
/// the same), and the port 80, 443 or 1080 unless given. An IPv6 address stands in brackets; user and password may be
/// percent-encoded. Throws std::invalid_argument with a clause that says what is
/// wrong and repeats nothing of the text.
ProxyUrl parse_proxy_url(std::string_view text);

/// What makes `user:password` unfit for Basic authentication (RFC 7617) or for SOCKS 5 (RFC 1929), as a clause; empty:
/// nothing.
std::string fault_in_credentials(ProxyKind kind, std::string_view credentials);

}  // namespace device_streams
