#pragma once

#include "common/app/run.hpp"
#include "common/config/settings.hpp"
#include "common/device_client/link_settings.hpp"
#include "device-proxy/service_map.hpp"
#include "device-proxy/stream_acceptor.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace device_streams {
template <typename Config>
class OptionTable;
}

namespace device_streams::device {

/// What a device-proxy runs with, as the file has it: its parts take their settings from here.
struct DeviceProxyConfig {
    HubSettings hub;
    OwnCertificate::Files own_certificate;  ///< with x509=true in the connection string
    LinkSettings link;                      ///< but for what make_settings() finds out
    std::uint16_t mqtt_port = 8883;         ///< used with LinkTransport::mqtt only
    StreamSettings streams;                 ///< but for what make_settings() finds out

    std::map<std::string, ServiceSettings> services;  ///< by service name; at least one
    std::optional<std::string> default_service;       ///< a key of `services`

    RunSettings run{.program = "device-proxy"};
    TlsSettings tls;
    LogSettings log;
};

/// Every option with key, flag, default, range and help.
const OptionTable<DeviceProxyConfig>& device_proxy_options();

}  // namespace device_streams::device
