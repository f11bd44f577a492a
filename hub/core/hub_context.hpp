#pragma once

#include "common/base/clock.hpp"
#include "common/base/log.hpp"
#include "common/tls/tls_context.hpp"
#include "hub/audit/resource_log.hpp"
#include "hub/core/shutdown_signal.hpp"
#include "hub/identity/access_policy.hpp"
#include "hub/identity/device_certificate.hpp"
#include "hub/identity/registry.hpp"
#include "hub/limits/current.hpp"
#include "hub/limits/hub_limits.hpp"
#include "hub/limits/peer_fault_log.hpp"
#include "hub/limits/unauthenticated_connections.hpp"
#include "hub/quota/stream_quotas.hpp"
#include "hub/streams/leg_tokens.hpp"
#include "hub/streams/stream_broker.hpp"

#include <functional>
#include <memory>

namespace device_streams::hub {

/// What the endpoints of one hub share; outlives every connection.
struct HubContext {
    Clock& clock;
    Log log;
    Registry& registry;
    StreamBroker& broker;
    const LegTokens& leg_tokens;
    std::function<PublicAddress()> address;  ///< of the streaming endpoint, as of now
    const Current<HubLimits>& limits;
    const Current<HubNames>& names;
    const Current<std::shared_ptr<const TlsContext>>& tls;  ///< nullptr where nothing listens for TLS
    const Current<DeviceAuthorities>& authorities;
    PeerFaultLog& peer_faults;
    UnauthenticatedConnections& unauthenticated;
    ShutdownSignal& stopping;
    ResourceLog& resource_log;
    StreamQuotas& quota;
};

}  // namespace device_streams::hub
