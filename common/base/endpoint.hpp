#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace device_streams {

/// Where to listen or to connect: host:port, [ipv6]:port or unix:path.
struct Endpoint {
    std::string host;        ///< name or address without brackets; empty for a Unix socket
    std::uint16_t port = 0;  ///< 0 only where a listener may choose
    std::string path;        ///< of a Unix socket; empty for TCP

    bool is_unix() const { return !path.empty(); }
    /// The inverse of parse_endpoint.
    std::string to_string() const;
    bool operator==(const Endpoint&) const = default;
};

/// nullopt for anything but the three forms above; ports 0..65535, Unix paths up to 107 bytes.
std::optional<Endpoint> parse_endpoint(std::string_view text);

}  // namespace device_streams
