#pragma once

#include "common/base/endpoint.hpp"
#include "common/base/stream_limits.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace device_streams::device {

/// Where a local service is, and how long its streams may take.
struct ServiceSettings {
    Endpoint address;
    StreamLimits limits = {};
    std::vector<std::string> allow_from = {};  ///< policies of the hub; empty: all, also of hubs that name none
    bool operator==(const ServiceSettings&) const = default;
};

/// A local service that streams may reach.
struct LocalService {
    std::string name;
    Endpoint endpoint;
    StreamLimits limits = {};
    std::vector<std::string> allow_from = {};
    /// `policy`: that the hub names; empty: none.
    bool is_open_to(std::string_view policy) const;
    bool operator==(const LocalService&) const = default;
};

/// Finds the service that a stream name means. Nothing but what is configured can be reached.
class ServiceMap {
 public:
    ServiceMap() = default;
    /// `default_service`, if any, is a key of `services`.
    ServiceMap(std::map<std::string, ServiceSettings> services, std::optional<std::string> default_service);

    /// First the exact name; else the name without a trailing `.{8 hex}` or `.{8 hex}-{letters and digits}`, the id
    /// that service-proxy appends; else, only for names without such an id and where the hub names no policy, the
    /// default service; else nullopt. A policy was allowed the service of that name, not whatever is the default here.
    std::optional<LocalService> resolve(std::string_view stream_name, std::string_view policy) const;

 private:
    std::optional<LocalService> find(std::string_view name) const;

    std::map<std::string, ServiceSettings> services_;
    std::optional<std::string> default_service_;
};

}  // namespace device_streams::device
