#pragma once

#include "common/http/message.hpp"
#include "hub/limits/trusted_proxies.hpp"

#include <stdexcept>
#include <string>

namespace device_streams::hub {

/// The headers of a front end contradict each other, or are malformed. what() is one clause.
struct ForwardedFault : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// For whom the front end `peer` made a request, as describe() of common/net names peers: what X-Forwarded-For or
/// Forwarded (RFC 7239) say, read from the right up to the first address that is no trusted proxy. `peer` itself where
/// it is no trusted proxy, or says nothing.
///
/// Throws ForwardedFault when Forwarded is malformed, or when both are there and say different things: a front end that
/// sets one of them passes on what a client wrote into the other.
std::string forwarded_peer(const http::Headers& headers, const std::string& peer, const TrustedProxies& proxies);

}  // namespace device_streams::hub
