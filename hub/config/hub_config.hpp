#pragma once

#include "common/app/run.hpp"
#include "common/base/endpoint.hpp"
#include "common/config/settings.hpp"
#include "hub/config/quota_options.hpp"
#include "hub/limits/hub_limits.hpp"

#include <optional>
#include <string>

namespace device_streams {
template <typename Config>
class OptionTable;
}

namespace device_streams::hub {

/// What a hub runs with, as the file has it: its parts take their settings from here.
struct HubConfig {
    std::string name;  ///< of the hub, as in stream URLs and tokens; [A-Za-z0-9-]{1,50}
    Endpoint listen{.host = "::", .port = 443, .path = {}};  ///< port 0: the system chooses
    std::optional<Endpoint> mqtt_listen;                     ///< MQTT over TLS without WebSocket, usually [::]:8883
    Endpoint public_url;          ///< host and port of the wss:// URLs that clients are told; port 0: that of `listen`
    std::string host_name;        ///< HostName of connection strings and SAS scopes; default: host of public_url
    std::string certificate;      ///< PEM chain; path
    std::string key;              ///< PEM private key; path
    std::string device_ca;        ///< PEM bundle of CAs for the certificates of devices; path; empty: none
    std::string state_directory;  ///< registry, quotas of the day and admin socket; path
    std::string admin_socket;     ///< path; default: state_directory/admin.sock
    std::string resource_log;     ///< path; empty: off
    HubLimits limits;
    QuotaOptions quota;
    RunSettings run{.program = "stream-hub", .threads = 0};
    LogSettings log;
};

/// Every option with key, flag, default, range and help.
const OptionTable<HubConfig>& hub_options();

}  // namespace device_streams::hub
