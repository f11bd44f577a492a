#pragma once

#include "common/iothub/stream_request.hpp"
#include "hub/identity/rule_time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace device_streams::hub {

/// What a policy may reach, and when. In patterns * stands for any characters, ? for one, and \ takes what follows as
/// it is, since ids may hold * and ?. Ids are compared with regard to case, as everywhere.
struct AllowRule {
    std::string device = "*";             ///< pattern
    std::optional<std::string> module{};  ///< pattern; nullopt: the device and all its modules
    std::vector<std::string> services{};  ///< sorted; empty: all
    std::optional<RuleTime> time{};       ///< nullopt: always
    bool operator==(const AllowRule&) const = default;

    bool is_for(const iothub::Target& target) const;
    bool includes(std::string_view service) const;
    bool holds_at(std::int64_t unix_seconds) const { return !time || time->contains(unix_seconds); }
};

/// "pump-* ssh,rdp", "pump-17/tunnel *", "* ssh mon-fri 08:00-18:00 UTC until 2026-12-31": a device pattern (with a
/// module's behind a slash), services or *, and what parse_rule_time takes. Throws Failure(usage) that says what is
/// wrong.
AllowRule parse_allow_rule(std::string_view text);
/// Always the same text for rules that are equal; parse_allow_rule takes it.
std::string to_string(const AllowRule& rule);

/// A rule of a policy, under a number that stays its own while others come and go.
struct NumberedRule {
    std::int64_t number = 0;
    AllowRule rule;
    bool operator==(const NumberedRule&) const = default;
};

}  // namespace device_streams::hub
