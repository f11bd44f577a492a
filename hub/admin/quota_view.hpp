#pragma once

#include "hub/quota/stream_quota.hpp"

#include <nlohmann/json.hpp>

#include <string>

/// What `stream-hub quota` shows.
namespace device_streams::hub {

inline constexpr std::size_t quota_rows_shown = 100;  ///< of each scope

nlohmann::json to_json(const QuotaUse& use);

/// The same for people.
std::string print_quota(const nlohmann::json& quota);

}  // namespace device_streams::hub
