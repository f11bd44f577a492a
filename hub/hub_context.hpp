#pragma once

#include "common/base/clock.hpp"
#include "common/base/log.hpp"
#include "common/net/tls_context.hpp"
#include "hub/access_policy.hpp"
#include "hub/complaints.hpp"
#include "hub/device_certificate.hpp"
#include "hub/hub_settings.hpp"
#include "hub/leg_tickets.hpp"
#include "hub/quota_desk.hpp"
#include "hub/registry.hpp"
#include "hub/resource_log.hpp"
#include "hub/stop_notice.hpp"
#include "hub/stream_broker.hpp"
#include "hub/visitors.hpp"

#include <memory>

namespace device_streams::hub {

/// What the endpoints of one hub share; outlives every connection.
struct HubContext {
    Clock& clock;
    Log log;
    Registry& registry;
    StreamBroker& broker;
    const LegTickets& tickets;
    const Current<HubLimits>& limits;
    const Current<HubNames>& names;
    const Current<std::shared_ptr<const TlsContext>>& tls;
    const Current<DeviceAuthorities>& authorities;
    Complaints& complaints;
    Visitors& visitors;
    StopNotice& stopping;
    ResourceLog& resource_log;
    QuotaDesk& quota;
};

}  // namespace device_streams::hub
