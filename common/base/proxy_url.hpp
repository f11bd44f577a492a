#pragma once

#include "common/base/endpoint.hpp"
#include "common/base/secret.hpp"

#include <string>
#include <string_view>

namespace device_streams {

/// Where an HTTP proxy is, and our user name and password there.
struct ProxyUrl {
    bool tls = false;  ///< https: TLS with the proxy itself
    Endpoint endpoint;
    Secret credentials = {};  ///< `user:password`, as Basic authentication (RFC 7617) has it; empty: none

    /// http://proxy:3128; without the credentials, for logs.
    std::string to_string() const;
    bool operator==(const ProxyUrl&) const = default;
};

/// `[http[s]://][user:password@]host[:port]`, where the port is 80 or 443 unless given, an IPv6 address stands in
/// brackets, and user and password may be percent-encoded. Throws std::invalid_argument with a clause that says what is
/// wrong and repeats nothing of the text.
ProxyUrl parse_proxy_url(std::string_view text);

/// What makes `user:password` unfit for Basic authentication, as a clause; empty: nothing.
std::string fault_in_credentials(std::string_view credentials);

}  // namespace device_streams
