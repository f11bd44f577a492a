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

/// Where clients reach a hub: https://host:port/path.
struct PublicUrl {
    std::string host;
    std::uint16_t port = 0;  ///< 0: that of `listen`; tests only
    std::string path;        ///< prefix of all paths: empty, or begins with / and does not end with one
    std::string to_string() const;
    bool operator==(const PublicUrl&) const = default;
};

/// What a hub runs with, as the file has it: its parts take their settings from here.
struct HubConfig {
    std::string name;  ///< of the hub, as in stream URLs and tokens; [A-Za-z0-9-]{1,50}
    std::optional<Endpoint> listen = Endpoint{.host = "::", .port = 443, .path = {}};  ///< port 0: the system chooses
    std::optional<Endpoint> mqtt_listen;   ///< MQTT over TLS without WebSocket, usually [::]:8883
    std::optional<Endpoint> listen_plain;  ///< HTTP without TLS; loopback or a Unix socket
    std::optional<std::uint16_t> mss;      ///< bytes of TCP payload in a packet to clients; nullopt: the system's
    PublicUrl public_url;                  ///< start of the wss:// URLs that clients are told
    std::string host_name;        ///< HostName of connection strings and SAS scopes; default: host of public_url
    std::string certificate;      ///< PEM chain; path; may be empty where nothing listens for TLS
    std::string key;              ///< PEM private key; path
    std::string device_ca;        ///< PEM bundle of CAs for the certificates of devices; path; empty: none
    std::string state_directory;  ///< registry, quotas of the day and admin socket; path
    std::string admin_socket;     ///< path; default: state_directory/admin.sock
    std::string resource_log;     ///< path; empty: off
    std::uint64_t resource_log_size = 100'000'000;  ///< bytes, then it is renamed; 0: never
    HubLimits limits;
    QuotaOptions quota;
    RunSettings run{.program = "stream-hub", .threads = 0};
    TlsSettings tls;
    LogSettings log;

    bool needs_certificate() const { return listen || mqtt_listen; }
};

/// Every option with key, flag, default, range and help.
const OptionTable<HubConfig>& hub_options();

}  // namespace device_streams::hub
