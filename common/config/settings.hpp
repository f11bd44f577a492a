#pragma once

#include "common/base/endpoint.hpp"
#include "common/base/log.hpp"
#include "common/base/no_proxy.hpp"
#include "common/base/proxy_url.hpp"
#include "common/base/record_plane_mode.hpp"
#include "common/base/secret.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

/// Sections that several programs share; defaults stand at the member. No YAML beyond the parser.
namespace device_streams {

/// `hub:` of both proxies.
struct HubSettings {
    Secret connection_string;            ///< from connection_string or connection_string_file
    std::string ca_file;                 ///< empty: the system's store
    std::uint16_t port = 443;            ///< of REST, streams and MQTT over WebSocket
    std::string path_prefix;             ///< in front of all paths; empty, or begins with / and does not end with one
    std::string address;                 ///< where to connect instead of HostName; empty: HostName
    std::string connection_string_file;  ///< path it was read from; empty: it was given as text
    std::optional<std::uint16_t> mss;    ///< bytes of TCP payload in a packet; nullopt: the system's

    std::optional<ProxyUrl> http_proxy;       ///< on the way to the hub (HTTP or SOCKS), with its credentials
    std::string http_proxy_credentials_file;  ///< path they were read from
    std::string http_proxy_ca_file;           ///< of an https proxy; empty: the system's store
    NoProxy no_proxy;                         ///< what is reached without it
};

/// `tls:` of all programs.
struct TlsSettings {
    RecordPlaneMode record_plane = RecordPlaneMode::automatic;
    bool operator==(const TlsSettings&) const = default;
};

/// Where lines go that no file takes.
enum class LogTarget { standard_error, syslog };

/// `log:` of all programs.
struct LogSettings {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::automatic;
    LogTarget target = LogTarget::standard_error;
    std::string file;  ///< path; empty: `target`
    bool operator==(const LogSettings&) const = default;
};

}  // namespace device_streams
