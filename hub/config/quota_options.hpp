#pragma once

#include "hub/quota/stream_quota.hpp"

#include <cstdint>
#include <optional>

namespace device_streams {
template <typename Config>
class OptionTable;
}

namespace device_streams::hub {

struct HubConfig;

/// What the limits are that are not set.
enum class QuotaPreset {
    none,
    azure,  ///< the documented limits of Azure IoT Hub (docs/protocol.md 9)
};

/// `quota:`, as it is written; nullopt: as the preset has it.
struct QuotaOptions {
    struct Scope {
        std::optional<unsigned> opens_per_second{};
        std::optional<unsigned> burst{};
        std::optional<unsigned> streams{};
        std::optional<std::uint64_t> bytes_per_day{};
    };
    QuotaPreset preset = QuotaPreset::none;
    PerScope<Scope> scopes;
};

/// The preset with what was set.
QuotaSettings limits_of(const QuotaOptions& options);

void add_quota_options(OptionTable<HubConfig>& table);

}  // namespace device_streams::hub
