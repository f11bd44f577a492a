#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace device_streams::hub {

/// When an allow rule holds: days of the week, hours and dates, all in one time zone of fixed distance to UTC. Nothing
/// here knows daylight saving time.
struct RuleTime {
    struct Hours {
        std::chrono::minutes begin{0};
        std::chrono::minutes end{0};  ///< excluded; not after `begin`: on the next day
        bool operator==(const Hours&) const = default;
    };
    std::chrono::minutes zone{0};  ///< east of UTC
    std::array<bool, 7> days{true, true, true, true,
                             true, true, true};    ///< from Monday; of `hours`, those they begin on
    std::optional<Hours> hours{};                  ///< nullopt: the whole day
    std::optional<std::chrono::sys_days> first{};  ///< dates in the zone
    std::optional<std::chrono::sys_days> last{};   ///< included
    bool operator==(const RuleTime&) const = default;

    bool contains(std::int64_t unix_seconds) const;
};
/// "mon-fri 08:00-18:00 UTC+01:00 from 2026-12-01 until 2027-01-31": what parse_rule_time takes.
std::string to_string(const RuleTime& time);

/// Reads the words of a rule that are about time, in any order, each sort once: days (mon,wed-fri), hours
/// (22:00-06:00), `from` and `until` with a date, and the time zone (UTC, UTC+01:00), which must be there. Throws
/// Failure(usage) that says which word is wrong.
RuleTime parse_rule_time(std::string_view words);

/// Unix seconds of "2026-11-26T22:30Z" or "2026-11-26T22:30:15+01:00". Throws Failure(usage).
std::int64_t parse_moment(std::string_view text);
/// The inverse, in UTC: "2026-11-26T21:30:15Z".
std::string moment_text(std::int64_t unix_seconds);

}  // namespace device_streams::hub
