#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

/// Dates and times as RFC 3339 writes them.
namespace device_streams {

/// "2026-11-26T22:30:00Z"
std::string format_rfc3339(std::chrono::sys_seconds when);
/// "2026-11-26T22:30:00.123Z", with 1 to 9 digits of the fraction.
std::string format_rfc3339(std::chrono::system_clock::time_point when, unsigned fraction_digits);
/// Takes what has no seconds too, but no fraction of one: "2026-11-26T22:30Z", "2026-11-26t22:30:00+01:00".
std::optional<std::chrono::sys_seconds> parse_rfc3339(std::string_view text);

/// "2026-11-26"
std::string format_full_date(std::chrono::sys_days day);
std::optional<std::chrono::sys_days> parse_full_date(std::string_view text);

/// "08:00"
std::string format_time_of_day(std::chrono::minutes time);
/// Up to "24:00".
std::optional<std::chrono::minutes> parse_time_of_day(std::string_view text);

/// "+01:00", up to 14 hours east or west of UTC.
std::optional<std::chrono::minutes> parse_utc_offset(std::string_view text);

}  // namespace device_streams
