#include "common/http/date.hpp"

#include <gtest/gtest.h>

namespace device_streams::http {
namespace {

using namespace std::chrono_literals;

const Clock::wall_time november{std::chrono::seconds(784'111'777)};

TEST(Date, IsWrittenAndReadAsTheStandardSays) {
    EXPECT_EQ(format_date(november), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(parse_date("Sun, 06 Nov 1994 08:49:37 GMT"), november);
}

TEST(Date, OtherFormsAreNone) {
    for (const char* text : {"", "now", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37", "784111777"})
        EXPECT_FALSE(parse_date(text)) << text;
}

TEST(Date, WhatTheClockCannotSayIsNone) {
    for (const char* text : {"Fri, 31 Dec 9999 23:59:59 GMT", "Sat, 01 Jan 0000 00:00:00 GMT"})
        EXPECT_FALSE(parse_date(text)) << text;
}

TEST(Date, ClocksThatDifferAreNoted) {
    const Headers from_hub{{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"}};
    const auto note = [&](Clock::wall_time now) { return clock_note(clock_ahead(from_hub, now), now); };
    EXPECT_EQ(note(november), "");
    EXPECT_EQ(note(november + 120s), "");
    EXPECT_EQ(note(november - 24h),
              "the hub's clock is 86400 s ahead of this machine's, by which it is 1994-11-05T08:49:37Z");
    EXPECT_EQ(note(november + 24h),
              "the hub's clock is 86400 s behind this machine's, by which it is 1994-11-07T08:49:37Z");
    EXPECT_EQ(clock_ahead({}, november), std::nullopt);
    EXPECT_EQ(clock_note(std::nullopt, november), "");
}

}  // namespace
}  // namespace device_streams::http
