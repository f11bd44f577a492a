#include "service-proxy/forward_spec.hpp"

#include "common/config/suggestions.hpp"
#include "common/iothub/connection_string.hpp"
#include "common/text/decimal.hpp"
#include "common/tunnel/stream_id.hpp"

#include <optional>

namespace device_streams::service {

namespace {

constexpr std::string_view default_bind = "127.0.0.1";

struct Listen {
    Endpoint endpoint;
    std::string_view rest;
};

/// The address in front of the device; `text` starts with the port, or with bind and port.
std::optional<Listen> split_listen(std::string_view text) {
    const auto first_colon = text.find(':');
    if (first_colon == std::string_view::npos) return std::nullopt;
    const auto port_alone = parse_endpoint(std::string(default_bind) + ":" + std::string(text.substr(0, first_colon)));
    if (port_alone) return Listen{*port_alone, text.substr(first_colon + 1)};
    const auto bind_end = text.front() == '[' ? text.find("]:") + 1 : first_colon;
    const auto port_end = text.find(':', bind_end + 1);
    if (bind_end == 0 || port_end == std::string_view::npos) return std::nullopt;
    const auto bound = parse_endpoint(text.substr(0, port_end));
    return bound ? std::optional(Listen{*bound, text.substr(port_end + 1)}) : std::nullopt;
}

/// ssh's habit. A device whose id ends that way is named with its service.
void refuse_port(std::string_view destination) {
    const auto colon = destination.rfind(':');
    if (colon == std::string_view::npos || !parse_decimal<std::uint16_t>(destination.substr(colon + 1))) return;
    const auto device = std::string(destination.substr(0, colon));
    throw BadValue(shown(destination) + " ends with a port, but services go by their names in device-proxy's " +
                   "configuration: " + device + "/ssh (or " + std::string(destination) +
                   "/ssh, if that is the device's id)");
}

}  // namespace

Forward parse_destination(const RawValue& raw) {
    Forward forward;
    const auto slash = raw.text.find('/');
    if (slash == std::string_view::npos) refuse_port(raw.text);
    forward.device = raw.text.substr(0, slash);
    if (slash != std::string_view::npos) forward.service = raw.text.substr(slash + 1);
    if (!iothub::is_valid_identity_id(forward.device)) throw BadValue(shown(raw.text) + " names no possible device");
    if (!is_valid_service_name(forward.service)) throw BadValue(shown(raw.text) + " names no possible service");
    return forward;
}

Forward parse_forward(const RawValue& raw) {
    const auto listen = split_listen(raw.text);
    if (!listen) throw BadValue(shown(raw.text) + " does not start with a port");
    auto forward = parse_destination({listen->rest, raw.base});
    forward.listen = listen->endpoint;
    return forward;
}

}  // namespace device_streams::service
