#include "common/text/rfc3339.hpp"

#include "common/text/ascii.hpp"
#include "common/text/decimal.hpp"

#include <algorithm>
#include <cstdint>

namespace device_streams {

namespace {

using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

constexpr minutes whole_day = std::chrono::hours(24);
constexpr minutes farthest_zone = std::chrono::hours(14);

std::string padded(std::int64_t number, std::size_t digits) {
    const auto text = std::to_string(number);
    return std::string(digits - std::min(digits, text.size()), '0') + text;
}

// `digits` of them, no more and no fewer.
std::optional<int> number(std::string_view text, std::size_t digits) {
    return text.size() == digits ? parse_decimal<int>(text) : std::nullopt;
}

std::string without_zone(sys_seconds when) {
    const auto day = std::chrono::floor<std::chrono::days>(when);
    const auto time = std::chrono::floor<minutes>(when - day);
    return format_full_date(day) + "T" + format_time_of_day(time) + ":" + padded((when - day - time).count(), 2);
}

}  // namespace

std::string format_rfc3339(sys_seconds when) {
    return without_zone(when) + "Z";
}

std::string format_rfc3339(std::chrono::system_clock::time_point when, unsigned fraction_digits) {
    const auto second = std::chrono::floor<seconds>(when);
    const auto fraction = padded(std::chrono::duration_cast<nanoseconds>(when - second).count(), 9);
    return without_zone(second) + "." + fraction.substr(0, fraction_digits) + "Z";
}

std::optional<sys_seconds> parse_rfc3339(std::string_view text) {
    if (text.size() <= 16 || to_lower(text[10]) != 't') return std::nullopt;
    const auto day = parse_full_date(text.substr(0, 10));
    const auto time = parse_time_of_day(text.substr(11, 5));
    auto rest = text.substr(16);
    std::optional<int> second = 0;
    if (rest.starts_with(':')) {
        second = number(rest.substr(1, 2), 2);
        rest.remove_prefix(std::min<std::size_t>(rest.size(), 3));
    }
    const auto offset = equal_ignoring_case(rest, "z") ? std::optional(minutes(0)) : parse_utc_offset(rest);
    if (!day || !time || *time == whole_day || !second || *second > 59 || !offset) return std::nullopt;
    return sys_seconds(*day) + *time - *offset + seconds(*second);
}

std::string format_full_date(sys_days day) {
    const std::chrono::year_month_day date{day};
    return padded(int{date.year()}, 4) + "-" + padded(unsigned{date.month()}, 2) + "-" +
           padded(unsigned{date.day()}, 2);
}

std::optional<sys_days> parse_full_date(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    const auto year = number(text.substr(0, 4), 4), month = number(text.substr(5, 2), 2),
               day = number(text.substr(8), 2);
    if (!year || !month || !day) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    return date.ok() ? std::optional<sys_days>(date) : std::nullopt;
}

std::string format_time_of_day(minutes time) {
    return padded(time.count() / 60, 2) + ":" + padded(time.count() % 60, 2);
}

std::optional<minutes> parse_time_of_day(std::string_view text) {
    if (text.size() != 5 || text[2] != ':') return std::nullopt;
    const auto hour = number(text.substr(0, 2), 2), minute = number(text.substr(3), 2);
    if (!hour || !minute || *minute > 59) return std::nullopt;
    const auto time = std::chrono::hours(*hour) + minutes(*minute);
    return time <= whole_day ? std::optional<minutes>(time) : std::nullopt;
}

std::optional<minutes> parse_utc_offset(std::string_view text) {
    if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
    const auto size = parse_time_of_day(text.substr(1));
    if (!size || *size > farthest_zone) return std::nullopt;
    return text[0] == '-' ? -*size : *size;
}

}  // namespace device_streams
