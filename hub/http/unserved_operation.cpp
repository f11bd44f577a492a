#include "hub/http/unserved_operation.hpp"

#include "common/text/parts.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

namespace device_streams::hub {

namespace {

using Segments = std::span<const std::string_view>;

constexpr UnservedOperation twins{"twins are not served by this hub", {}};
constexpr UnservedOperation methods{"direct methods are not served by this hub", {}};
constexpr UnservedOperation bulk{"identities are created and changed one by one at this hub", {}};
constexpr UnservedOperation queries{"queries are not served by this hub", {}};
constexpr UnservedOperation configurations{"configurations are not served by this hub", {}};
constexpr UnservedOperation messages{"messages to and from devices are not served by this hub", {}};
constexpr UnservedOperation others{"this operation is not served by this hub", {}};
constexpr UnservedOperation http_device{"devices speak MQTT or MQTT over WebSocket with this hub, not HTTP",
                                        Errc::transport_not_served};
constexpr UnservedOperation provisioning{"devices are registered with this hub itself, not by a provisioning service",
                                         Errc::provisioning_not_served};

// Behind the id of a device, and that of a module if there is one.
Segments behind_ids(Segments segments) {
    const bool module = segments.size() >= 3 && segments[1] == "modules";
    return segments.subspan(module ? 3 : 1);
}

std::optional<UnservedOperation> in_twins(Segments segments) {
    const auto rest = behind_ids(segments);
    if (rest.empty() || rest[0] == "properties" || rest[0] == "tags") return twins;
    if (rest[0] == "methods") return methods;
    return std::nullopt;
}

// `segments` is what follows /devices.
std::optional<UnservedOperation> in_devices(std::string_view method, Segments segments) {
    const bool post = method == "POST";
    if (segments.empty()) return post ? std::optional(bulk) : std::nullopt;
    const auto rest = behind_ids(segments);
    if (rest.empty()) return post && segments[0] == "query" ? std::optional(queries) : std::nullopt;
    if (post && rest.size() == 1 && rest[0] == "modules") return bulk;
    if (rest[0] == "messages" || rest[0] == "files") return http_device;
    if (rest[0] == "applyConfigurationContent") return configurations;
    if (rest[0] == "commands") return messages;
    return std::nullopt;
}

}  // namespace

std::optional<UnservedOperation> unserved_operation(std::string_view method, std::string_view decoded_path) {
    constexpr std::size_t most = 12;  // the longest that is known has 9, with what is in front of the first slash
    auto parts = split(decoded_path, '/', most);
    if (!parts.empty() && parts.back().empty()) parts.pop_back();
    if (parts.size() < 2) return std::nullopt;
    const auto segments = Segments(parts).subspan(1);
    const auto first = segments[0];
    const auto rest = segments.subspan(1);
    if (first == "twins") return rest.empty() ? std::nullopt : in_twins(rest);
    if (first == "devices") return in_devices(method, rest);
    if (first == "configurations") return configurations;
    if (first == "messages") return messages;
    constexpr std::array<std::string_view, 4> known{"jobs", "statistics", "digitaltwins", "exportimport"};
    if (std::ranges::find(known, first) != known.end()) return others;
    if (rest.size() >= 2 && rest[0] == "registrations") return provisioning;
    return std::nullopt;
}

}  // namespace device_streams::hub
