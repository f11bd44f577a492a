#include "device-proxy/service_map.hpp"

#include "common/tunnel/stream_id.hpp"

#include <algorithm>

namespace device_streams::device {

bool LocalService::is_open_to(std::string_view policy) const {
    return allow_from.empty() || (!policy.empty() && std::ranges::find(allow_from, policy) != allow_from.end());
}

ServiceMap::ServiceMap(std::map<std::string, ServiceSettings> services, std::optional<std::string> default_service)
    : services_(std::move(services)), default_service_(std::move(default_service)) {
}

std::optional<LocalService> ServiceMap::find(std::string_view name) const {
    const auto entry = services_.find(std::string(name));
    if (entry == services_.end()) return std::nullopt;
    return LocalService{entry->first, entry->second.address, entry->second.limits, entry->second.allow_from};
}

std::optional<LocalService> ServiceMap::resolve(std::string_view stream_name, std::string_view policy) const {
    if (auto exact = find(stream_name)) return exact;
    if (const auto with_id = parse_stream_name(stream_name)) return find(with_id->service);
    return default_service_ && policy.empty() ? find(*default_service_) : std::nullopt;
}

}  // namespace device_streams::device
