#pragma once

#include "common/base/endpoint.hpp"
#include "common/base/stream_limits.hpp"
#include "common/config/settings.hpp"
#include "hub/config/quota_options.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace device_streams {
template <typename Config>
class OptionTable;
}

namespace device_streams::hub {

/// `limits:`, what a connection may cost before anybody has logged in on it, and what devices and
/// policies may.
struct ConnectionLimits {
    std::chrono::milliseconds tls_timeout{10'000};  ///< TCP accepted until TLS is up; 100ms..5m
    std::chrono::milliseconds head_timeout{
        10'000};  ///< first byte of a request (or MQTT CONNECT) until its end; 100ms..5m
    std::chrono::milliseconds idle_timeout{60'000};  ///< a connection without a request; 1s..1h
    unsigned connections_per_address = 1'000;        ///< connections without login from one address; 1..1000000
    unsigned connections_without_login = 10'000;     ///< connections without login from all addresses; 1..1000000
    unsigned linked_devices = 0;                     ///< links of devices and modules; 0: no limit; 0..10000000
    unsigned pending_per_device = 1'000;             ///< stream requests without both legs to one device; 1..20000
    unsigned pending_per_policy = 10'000;            ///< the same, from services of one policy; 1..20000
};

struct HubConfig {
    std::string name;  ///< of the hub, as in stream URLs and tokens; [A-Za-z0-9-]{1,50}
    Endpoint listen{.host = "::", .port = 443, .path = {}};
    std::optional<Endpoint> mqtt_listen;  ///< MQTT over TLS without WebSocket, usually [::]:8883
    Endpoint public_url;                  ///< host and port of the wss:// URLs that clients are told
    std::string host_name;        ///< HostName of connection strings and SAS scopes; default: host of public_url
    std::string certificate;      ///< PEM chain; path
    std::string key;              ///< PEM private key; path
    std::string device_ca;        ///< PEM bundle of CAs for the certificates of devices; path; empty: none
    std::string state_directory;  ///< registry and admin socket; path
    std::string admin_socket;     ///< path; default: state_directory/admin.sock
    std::string resource_log;     ///< path; empty: off
    unsigned threads = 0;         ///< 0: one per core; 0..1024
    std::chrono::milliseconds drain{30'000};  ///< running streams may end by themselves when stopping; 0s..24h
    std::chrono::milliseconds handshake_timeout{60'000};  ///< from the stream request until both legs are attached, and
                                                          ///< the lifetime of stream tokens; 1s..10m
    std::chrono::milliseconds offline_grace{5'000};  ///< a device whose link dropped counts as online this long; 0s..5m
    std::chrono::milliseconds linger{5'000};  ///< as RelayLimits::linger, for streams without half-close; 0s..10m
    Liveness liveness;
    StreamLimits streams;  ///< of every stream
    ConnectionLimits limits;
    RunAsSettings run_as;
    QuotaOptions quota;
    LogSettings log;
};

/// Every option with key, flag, default, range and help.
const OptionTable<HubConfig>& hub_options();

}  // namespace device_streams::hub
