#include "common/text/rfc3339.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

const sys_days day = std::chrono::year(2026) / 1 / 5;

TEST(Rfc3339, IsWrittenInUtc) {
    EXPECT_EQ(format_rfc3339(sys_seconds(day) + 9h + 8min + 7s), "2026-01-05T09:08:07Z");
    EXPECT_EQ(format_rfc3339(sys_seconds(0s)), "1970-01-01T00:00:00Z");
    EXPECT_EQ(format_rfc3339(sys_seconds(-1s)), "1969-12-31T23:59:59Z");
    EXPECT_EQ(format_rfc3339(sys_seconds(253402300799s)), "9999-12-31T23:59:59Z");
}

TEST(Rfc3339, HasAsManyDigitsOfTheFractionAsAskedForAndIsNotRounded) {
    const std::chrono::system_clock::time_point when = sys_seconds(day) + 1s + 12345678ns;
    EXPECT_EQ(format_rfc3339(when, 3), "2026-01-05T00:00:01.012Z");
    EXPECT_EQ(format_rfc3339(when, 7), "2026-01-05T00:00:01.0123456Z");
    EXPECT_EQ(format_rfc3339(std::chrono::system_clock::time_point(-1ns), 9), "1969-12-31T23:59:59.999999999Z");
}

TEST(Rfc3339, IsReadWithItsZone) {
    const auto noon = sys_seconds(day) + 12h;
    for (const auto* text :
         {"2026-01-05T12:00:00Z", "2026-01-05t12:00z", "2026-01-05T13:00+01:00", "2026-01-04T22:00:00-14:00"})
        EXPECT_EQ(parse_rfc3339(text), noon) << text;
    EXPECT_EQ(parse_rfc3339("2026-01-05T12:00:59Z"), noon + 59s);
}

TEST(Rfc3339, IsStrict) {
    for (const auto* text :
         {"", "now", "2026-11-26", "2026-11-26T22:30", "2026-11-26 22:30Z", "2026-11-26T24:00Z", "2026-11-26T22:30:60Z",
          "2026-11-26T22:30:1Z", "2026-11-26T22:30:", "2026-11-26T22:30+1", "2026-13-26T22:30Z", "2026-11-26T22:30ZZ",
          "2026-11-26T22:30:00:00Z", "2026-11-26T22:30:00.5Z", "2026-11-26T22:30+14:01", "2026-11-26T22:3Z"})
        EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
}

TEST(FullDate, IsADayOfTheCalendar) {
    EXPECT_EQ(format_full_date(day), "2026-01-05");
    EXPECT_EQ(parse_full_date("2026-01-05"), day);
    EXPECT_TRUE(parse_full_date("2028-02-29"));
    for (const auto* text :
         {"2026-02-29", "2026-1-05", "2026-00-05", "2026-01-32", "2026/01/05", "2026-01-05 ", "+026-01-05"})
        EXPECT_EQ(parse_full_date(text), std::nullopt) << text;
}

TEST(TimeOfDay, EndsWithTheDay) {
    EXPECT_EQ(format_time_of_day(8h + 5min), "08:05");
    EXPECT_EQ(parse_time_of_day("00:00"), 0min);
    EXPECT_EQ(parse_time_of_day("24:00"), 24h);
    for (const auto* text : {"24:01", "08:60", "8:00", "08-00", "08:0", "-8:00"})
        EXPECT_EQ(parse_time_of_day(text), std::nullopt) << text;
}

TEST(UtcOffset, HasASign) {
    EXPECT_EQ(parse_utc_offset("-05:30"), -(5h + 30min));
    EXPECT_EQ(parse_utc_offset("+14:00"), 14h);
    for (const auto* text : {"", "05:30", "+5:30", "+14:01", "Z"})
        EXPECT_EQ(parse_utc_offset(text), std::nullopt) << text;
}

}  // namespace
}  // namespace device_streams
