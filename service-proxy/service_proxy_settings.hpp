#pragma once

#include "common/service_client/service_access.hpp"
#include "common/tunnel/relay.hpp"
#include "service-proxy/service_proxy_config.hpp"

#include <vector>

namespace device_streams::service {

/// The limits and endpoints that the components work with.
struct ServiceProxySettings {
    ServiceAccess hub;
    std::vector<Forward> forwards;  ///< their listen endpoints differ
    OpenLimits open;
    RelayLimits relay;
};

/// Reads the connection string and the CA file. Throws Failure (certificate_unusable, file_unreadable, or
/// credential_malformed unless the connection string is a service's: a policy with its key, or a ready-made token).
ServiceProxySettings make_settings(const ServiceProxyConfig& config);

}  // namespace device_streams::service
