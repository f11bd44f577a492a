#pragma once

#include "common/base/clock.hpp"
#include "common/base/endpoint.hpp"
#include "common/config/settings.hpp"
#include "common/iothub/connection_string.hpp"
#include "common/iothub/stream_request.hpp"
#include "common/net/tls_context.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace device_streams::service {

/// How to reach the hub and prove who we are. Names (SAS scope, SNI, certificate check, Host) always come from
/// HostName; only the place to connect to can be overridden.
struct HubAccess {
    iothub::ConnectionString credential;
    Endpoint address;  ///< of the REST endpoint
    std::shared_ptr<const TlsContext> tls;

    const std::string& host_name() const { return credential.host_name; }
    /// Where to connect for a stream's URL: the override counts when the URL names the hub itself.
    Endpoint address_of(const iothub::StreamUrl& url) const;
};

/// Throws Failure: credential_malformed unless the connection string is a service's (a policy with its key, or a
/// ready-made token), certificate_unusable or file_unreadable for the CA file.
HubAccess make_hub_access(const HubSettings& settings);

/// Limits on the phases of opening a stream.
struct OpenLimits {
    Clock::duration hub = std::chrono::seconds(10);       ///< TCP with TLS, the upgrade, and the slack of an answer
    Clock::duration connect = std::chrono::seconds(15);   ///< the hub waits this long for an offline device
    Clock::duration response = std::chrono::seconds(30);  ///< the hub waits this long for the device's answer
    unsigned tries_when_throttled = 4;                    ///< in all, with short growing pauses between
    std::size_t most_idle = 4;                            ///< REST connections kept after use
    /// Idle connections are replaced after this long: before the hub's own limit of 60 s.
    Clock::duration longest_idle = std::chrono::seconds(50);
};

}  // namespace device_streams::service
