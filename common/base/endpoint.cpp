#include "common/base/endpoint.hpp"

#include "common/text/decimal.hpp"

namespace device_streams {

namespace {
constexpr std::string_view unix_prefix = "unix:";
constexpr std::size_t longest_unix_path = 107;  // sun_path less its terminator

std::optional<Endpoint> parse_unix(std::string_view path) {
    if (path.empty() || path.size() > longest_unix_path) return std::nullopt;
    return Endpoint{.host = {}, .port = 0, .path = std::string(path)};
}
}  // namespace

std::string Endpoint::to_string() const {
    if (is_unix()) return std::string(unix_prefix) + path;
    const bool ipv6 = host.find(':') != std::string::npos;
    return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
    if (text.starts_with(unix_prefix)) return parse_unix(text.substr(unix_prefix.size()));
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return std::nullopt;
    auto host = text.substr(0, colon);
    const auto port = parse_decimal<std::uint16_t>(text.substr(colon + 1));
    if (!port) return std::nullopt;
    if (host.front() == '[') {
        if (host.size() < 4 || host.back() != ']') return std::nullopt;
        host = host.substr(1, host.size() - 2);
    } else if (host.find_first_of(":[]/ ") != std::string_view::npos) {
        return std::nullopt;
    }
    return Endpoint{.host = std::string(host), .port = *port, .path = {}};
}

}  // namespace device_streams
