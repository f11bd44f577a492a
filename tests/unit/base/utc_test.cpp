#include "common/base/utc.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

using namespace std::chrono_literals;

struct Moment {
    std::int64_t unix_seconds;
    int year, month, day, weekday, hour, minute, second;
};

struct Utc : testing::TestWithParam<Moment> {};

TEST_P(Utc, IsTheCalendarsAndBack) {
    const auto& [unix_seconds, year, month, day, weekday, hour, minute, second] = GetParam();
    const std::chrono::sys_seconds when{std::chrono::seconds(unix_seconds)};
    const auto parts = to_utc(when);
    EXPECT_EQ(parts.tm_year + 1900, year);
    EXPECT_EQ(parts.tm_mon + 1, month);
    EXPECT_EQ(parts.tm_mday, day);
    EXPECT_EQ(parts.tm_wday, weekday);
    EXPECT_EQ(parts.tm_hour, hour);
    EXPECT_EQ(parts.tm_min, minute);
    EXPECT_EQ(parts.tm_sec, second);
    EXPECT_EQ(from_utc(parts), when);
}

INSTANTIATE_TEST_SUITE_P(Utc, Utc,
                         testing::Values(Moment{0, 1970, 1, 1, 4, 0, 0, 0}, Moment{-1, 1969, 12, 31, 3, 23, 59, 59},
                                         Moment{951'826'154, 2000, 2, 29, 2, 12, 9, 14},
                                         Moment{253'402'300'799, 9999, 12, 31, 5, 23, 59, 59}));

}  // namespace
}  // namespace device_streams
