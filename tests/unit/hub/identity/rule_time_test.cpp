#include "hub/identity/rule_time.hpp"

#include "common/base/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <sstream>

namespace device_streams::hub::rule_time_test {
namespace {

using ::testing::HasSubstr;

std::string fault_of(std::string_view words) {
    try {
        return "none, it means " + to_string(parse_rule_time(words));
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.errc(), Errc::usage);
        return failure.detail();
    }
}

struct Case {
    std::string words;
    std::string inside, outside;  // moments, space between
};

class RuleTimeTest : public testing::TestWithParam<Case> {};

std::vector<std::string> words_of(const std::string& text) {
    std::istringstream in(text);
    return {std::istream_iterator<std::string>(in), {}};
}

// 2026-11-23 is a Monday.
TEST_P(RuleTimeTest, ContainsWhatItSaysAndNothingElse) {
    const auto time = parse_rule_time(GetParam().words);
    for (const auto& moment : words_of(GetParam().inside)) EXPECT_TRUE(time.contains(parse_moment(moment))) << moment;
    for (const auto& moment : words_of(GetParam().outside)) EXPECT_FALSE(time.contains(parse_moment(moment))) << moment;
}

INSTANTIATE_TEST_SUITE_P(
    Windows, RuleTimeTest,
    testing::Values(
        Case{"08:00-18:00 UTC", "2026-11-24T08:00Z 2026-11-29T17:59:59Z", "2026-11-24T07:59:59Z 2026-11-24T18:00Z"},
        Case{"mon-fri UTC", "2026-11-23T00:00Z 2026-11-27T23:59:59Z", "2026-11-22T23:59:59Z 2026-11-28T00:00Z"},
        Case{"sat-mon UTC", "2026-11-21T12:00Z 2026-11-22T12:00Z 2026-11-23T12:00Z", "2026-11-24T00:00Z"},
        Case{"mon,wed UTC", "2026-11-23T12:00Z 2026-11-25T12:00Z", "2026-11-24T12:00Z"},
        // Over midnight, the day is that of the evening; from Sunday it goes into the next week.
        Case{"fri 22:00-06:00 UTC", "2026-11-27T22:00Z 2026-11-28T05:59:59Z",
             "2026-11-27T05:00Z 2026-11-28T06:00Z 2026-11-28T22:00Z"},
        Case{"sun 22:00-06:00 UTC", "2026-11-29T23:00Z 2026-11-30T05:00Z", "2026-11-29T05:00Z 2026-11-30T22:00Z"},
        Case{"18:00-24:00 UTC", "2026-11-29T23:59:59Z", "2026-11-30T00:00Z"},
        Case{"18:00-00:00 UTC", "2026-11-29T23:59:59Z", "2026-11-30T00:00Z"},
        // The week turns at midnight of the rule's zone.
        Case{"mon UTC+02:00", "2026-11-22T22:00Z 2026-11-23T21:59:59Z", "2026-11-22T21:59:59Z 2026-11-23T22:00Z"},
        Case{"mon UTC-05:30", "2026-11-23T05:30Z 2026-11-24T05:29:59Z", "2026-11-23T05:29:59Z 2026-11-24T05:30Z"},
        Case{"08:00-09:00 UTC+01:00", "2026-11-24T07:30Z 2026-11-24T08:30:00+01:00", "2026-11-24T08:30Z"},
        // Both dates count whole.
        Case{"from 2026-12-01 UTC", "2026-12-01T00:00Z 2030-01-01T00:00Z", "2026-11-30T23:59:59Z"},
        Case{"until 2026-12-31 UTC+01:00", "2026-12-31T22:59:59Z", "2026-12-31T23:00Z"},
        Case{"UTC from 2028-02-29 until 2028-02-29", "2028-02-29T12:00Z", "2028-02-28T23:59:59Z 2028-03-01T00:00Z"},
        Case{"22:00-06:00 UTC until 2026-12-31", "2026-12-31T23:00Z", "2027-01-01T03:00Z"}));

TEST(RuleTime, IsWrittenInOneWay) {
    const auto again = [](std::string_view words) { return to_string(parse_rule_time(words)); };
    EXPECT_EQ(again("utc"), "UTC");
    EXPECT_EQ(again("until 2027-01-31  UTC+00:00 from 2026-12-01 22:00-06:00 Tue,MON,wed"),
              "mon-wed 22:00-06:00 UTC from 2026-12-01 until 2027-01-31");
    EXPECT_EQ(again("fri-mon utc-05:30"), "mon,fri-sun UTC-05:30");
    EXPECT_EQ(again("mon-sun UTC"), "UTC");
    EXPECT_EQ(again("sat,sun,wed UTC+14:00"), "wed,sat,sun UTC+14:00");
}

TEST(RuleTime, SaysWhichWordIsWrong) {
    EXPECT_THAT(fault_of("mon-fri"), HasSubstr("need a time zone"));
    EXPECT_THAT(fault_of("until 2026-12-31"), HasSubstr("need a time zone"));
    EXPECT_THAT(fault_of("monday UTC"), HasSubstr("\"monday\" is neither days"));
    EXPECT_THAT(fault_of("mon- UTC"), HasSubstr("\"mon-\" is neither days"));
    EXPECT_THAT(fault_of("mon,,tue UTC"), HasSubstr("is neither days"));
    EXPECT_THAT(fault_of("8:00-18:00 UTC"), HasSubstr("\"8:00-18:00\" are no hours: they are written 08:00-18:00"));
    EXPECT_THAT(fault_of("08:00 UTC"), HasSubstr("are no hours"));
    EXPECT_THAT(fault_of("08:60-09:00 UTC"), HasSubstr("are no hours"));
    EXPECT_THAT(fault_of("24:00-06:00 UTC"), HasSubstr("are no hours"));
    EXPECT_THAT(fault_of("06:00-24:01 UTC"), HasSubstr("are no hours"));
    EXPECT_THAT(fault_of("08:00-08:00 UTC"), HasSubstr("no time at all"));
    EXPECT_THAT(fault_of("UTC+1"), HasSubstr("\"UTC+1\" is no time zone"));
    EXPECT_THAT(fault_of("UTC+15:00"), HasSubstr("is no time zone"));
    EXPECT_THAT(fault_of("UTCX"), HasSubstr("is no time zone"));
    EXPECT_THAT(fault_of("UTC UTC+01:00"), HasSubstr("says again"));
    EXPECT_THAT(fault_of("mon wed UTC"), HasSubstr("\"wed\" says again what was said already"));
    EXPECT_THAT(fault_of("08:00-09:00 10:00-11:00 UTC"), HasSubstr("says again"));
    EXPECT_THAT(fault_of("UTC from"), HasSubstr("\"from\" wants a date"));
    EXPECT_THAT(fault_of("UTC until from 2026-01-01"), HasSubstr("\"from\" is no date"));
    EXPECT_THAT(fault_of("UTC from 2026-02-29"), HasSubstr("\"2026-02-29\" is no date: it is written 2026-12-31"));
    EXPECT_THAT(fault_of("UTC from 2026-1-1"), HasSubstr("is no date"));
    EXPECT_THAT(fault_of("UTC from 2026-01-01 from 2026-01-02"), HasSubstr("second date"));
    EXPECT_THAT(fault_of("UTC from 2026-02-01 until 2026-01-01"), HasSubstr("before the one behind from"));
}

TEST(Moment, IsReadWithItsZoneAndWrittenInUtc) {
    EXPECT_EQ(parse_moment("1970-01-01T00:00Z"), 0);
    EXPECT_EQ(parse_moment("2026-11-26T22:30:15+01:00"), 1'795'728'615);
    EXPECT_EQ(moment_text(1'795'728'615), "2026-11-26T21:30:15Z");
    EXPECT_EQ(moment_text(0), "1970-01-01T00:00:00Z");
    for (const char* text : {"", "now", "2026-11-26", "2026-11-26T22:30", "2026-11-26 22:30Z", "2026-11-26T24:00Z",
                             "2026-11-26T22:30:60Z", "2026-11-26T22:30:1Z", "2026-11-26T22:30+1", "2026-13-26T22:30Z",
                             "2026-11-26T22:30ZZ", "2026-11-26T22:30:00:00Z"})
        EXPECT_THROW(parse_moment(text), Failure) << text;
}

}  // namespace
}  // namespace device_streams::hub::rule_time_test
