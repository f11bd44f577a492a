#include "common/base/utc.hpp"

namespace device_streams {

using namespace std::chrono;

std::tm to_utc(sys_seconds when) {
    const auto day = floor<days>(when);
    const year_month_day date(day);
    const hh_mm_ss time(when - day);
    std::tm parts{};
    parts.tm_year = static_cast<int>(date.year()) - 1900;
    parts.tm_mon = static_cast<int>(static_cast<unsigned>(date.month())) - 1;
    parts.tm_mday = static_cast<int>(static_cast<unsigned>(date.day()));
    parts.tm_wday = static_cast<int>(weekday(day).c_encoding());
    parts.tm_hour = static_cast<int>(time.hours().count());
    parts.tm_min = static_cast<int>(time.minutes().count());
    parts.tm_sec = static_cast<int>(time.seconds().count());
    return parts;
}

sys_seconds from_utc(const std::tm& parts) {
    const auto month_of_year = month(static_cast<unsigned>(parts.tm_mon + 1));
    const sys_days first_of_month(year(parts.tm_year + 1900) / month_of_year / 1);
    return first_of_month + days(parts.tm_mday - 1) + hours(parts.tm_hour) + minutes(parts.tm_min) +
           seconds(parts.tm_sec);
}

}  // namespace device_streams
