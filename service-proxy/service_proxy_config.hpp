#pragma once

#include "common/app/run.hpp"
#include "common/base/endpoint.hpp"
#include "common/base/stream_limits.hpp"
#include "common/base/system_user.hpp"
#include "common/config/settings.hpp"
#include "common/service_client/service_access.hpp"
#include "common/tunnel/relay.hpp"

#include <optional>
#include <string>
#include <vector>

namespace device_streams {
template <typename Config>
class OptionTable;
}

namespace device_streams::service {

/// One local address and the service on a device that its connections reach.
struct Forward {
    Endpoint listen;              ///< empty for stdio
    std::string device;           ///< device id
    std::string module;           ///< module id; empty: the device itself
    std::string service = "ssh";  ///< [A-Za-z0-9_-]{1,64}
    StreamLimits limits = {};
    std::vector<UserId> allow_users = {};  ///< whose programs may connect; empty: whoever can
    bool operator==(const Forward&) const = default;
};

/// What a service-proxy runs with, as the file has it: its parts take their settings from here.
struct ServiceProxyConfig {
    HubSettings hub;
    std::vector<Forward> forwards;        ///< at least one, unless stdio is set; those of -L alone where it is given
    std::vector<Forward> typed_forwards;  ///< of -L
    std::optional<Forward> stdio;         ///< --stdio: one stream on standard input and output instead of listening
    OpenLimits open;                      ///< hub: 100ms..5m; connect: 0s..10m, response: 1s..10m, both sent in seconds
    Liveness liveness;
    RelayLimits relay;  ///< of every stream; forwards may have stricter ones; linger 0s..10m
    RunSettings run{.program = "service-proxy"};
    TlsSettings tls;
    LogSettings log;
};

/// Every option with key, flag, default, range and help.
const OptionTable<ServiceProxyConfig>& service_proxy_options();

}  // namespace device_streams::service
