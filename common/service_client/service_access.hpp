#pragma once

#include "common/base/clock.hpp"
#include "common/base/endpoint.hpp"
#include "common/hub_access/warm_connections.hpp"
#include "common/iothub/connection_string.hpp"

#include <chrono>
#include <string>

namespace device_streams::service {

/// How to reach the hub and prove who we are. Names (SAS scope, SNI, certificate check, Host) always come from
/// HostName; only the place to connect to can be overridden.
struct ServiceAccess {
    iothub::ConnectionString credential;
    HubAccess hub;
    std::uint16_t port = 443;  ///< of the REST endpoint

    Endpoint endpoint() const { return {.host = hub.host_name, .port = port, .path = {}}; }
};

/// Limits on the phases of opening a stream.
struct OpenLimits {
    Clock::duration hub = std::chrono::seconds(10);        ///< TCP with TLS, the upgrade, and the slack of an answer
    Clock::duration connect = std::chrono::seconds(15);    ///< the hub waits this long for an offline device
    Clock::duration response = std::chrono::seconds(30);   ///< the hub waits this long for the device's answer
    unsigned tries_when_throttled = 4;                     ///< in all, with short growing pauses between
    Clock::duration throttled = std::chrono::seconds(15);  ///< not tried again later than this after the first try
    WarmLimits warm;                                       ///< for the connections to the hub that are kept
};

}  // namespace device_streams::service
