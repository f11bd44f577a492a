#pragma once

#include "common/base/endpoint.hpp"
#include "common/config/settings.hpp"
#include "common/device_client/own_certificate.hpp"
#include "common/tunnel/relay.hpp"
#include "device-proxy/service_map.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace device_streams {
template <typename Config>
class OptionTable;
}

namespace device_streams::device {

/// How the control link travels: MQTT over WebSocket on hub.port, or MQTT over TLS on hub.mqtt_port.
enum class LinkTransport { mqtt_ws, mqtt };

/// `reconnect:`, the limits of Backoff.
struct ReconnectSettings {
    std::chrono::milliseconds first{1'000};     ///< 10ms..1m
    std::chrono::milliseconds longest{60'000};  ///< 100ms..1h, not below `first`
};

struct DeviceProxyConfig {
    HubSettings hub;
    std::string certificate;          ///< PEM chain; path; with x509=true in the connection string
    std::string key;                  ///< PEM; path; the same
    std::string key_passphrase_file;  ///< of the key, if it is encrypted; path
    LinkTransport transport = LinkTransport::mqtt_ws;
    std::uint16_t mqtt_port = 8883;                 ///< used with LinkTransport::mqtt only
    std::chrono::seconds keep_alive{20};            ///< MQTT keep-alive; 5s..1177s
    std::chrono::milliseconds hub_timeout{10'000};  ///< TCP, TLS, MQTT CONNECT and stream legs, each; 100ms..5m
    ReconnectSettings reconnect;

    std::map<std::string, ServiceSettings> services;  ///< by service name; at least one
    std::optional<std::string> default_service;       ///< a key of `services`
    std::chrono::milliseconds local_timeout{10'000};  ///< connecting to a local service; 100ms..1m

    Liveness liveness;
    RelayLimits relay;                        ///< of every stream; services may have stricter ones; linger 0s..10m
    std::chrono::milliseconds drain{30'000};  ///< running streams may end by themselves when stopping; 0s..24h
    unsigned threads = 1;                     ///< 0: one per core; 0..1024
    RunAsSettings run_as;
    LogSettings log;
};

/// What the certificate of this device is made of.
OwnCertificate::Files certificate_files(const DeviceProxyConfig& config);

/// Every option with key, flag, default, range and help.
const OptionTable<DeviceProxyConfig>& device_proxy_options();

}  // namespace device_streams::device
