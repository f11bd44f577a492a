#include "common/text/parts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace device_streams {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Trim, TakesBlanksOffBothEnds) {
    EXPECT_EQ(trim(" \ta b\t "), "a b");
    EXPECT_EQ(trim("a\n"), "a\n");
    EXPECT_EQ(trim("xaxbx", "x"), "axb");
    for (const auto* nothing : {"", " ", "\t \t"}) EXPECT_EQ(trim(nothing), "") << nothing;
}

TEST(TrimEnd, LeavesTheFront) {
    EXPECT_EQ(trim_end(" a \r\n", "\r\n"), " a ");
    EXPECT_EQ(trim_end("\r\n", "\r\n"), "");
    EXPECT_EQ(trim_end("", "\r\n"), "");
}

TEST(Split, GivesEmptyPartsToo) {
    EXPECT_THAT(split("", ','), ElementsAre(""));
    EXPECT_THAT(split("a", ','), ElementsAre("a"));
    EXPECT_THAT(split(",a,,b,", ','), ElementsAre("", "a", "", "b", ""));
}

TEST(Split, GivesNothingWhenThereAreTooManyParts) {
    EXPECT_THAT(split("a,b", ',', 2), ElementsAre("a", "b"));
    EXPECT_THAT(split("a,b,", ',', 2), IsEmpty());
}

TEST(TakeUntil, DropsTheSeparator) {
    std::string_view rest = "a,,b";
    EXPECT_EQ(take_until(rest, ','), "a");
    EXPECT_EQ(take_until(rest, ','), "");
    EXPECT_EQ(rest, "b");
    EXPECT_EQ(take_until(rest, ','), "b");
    EXPECT_EQ(rest, "");
    EXPECT_EQ(take_until(rest, ','), "");
}

TEST(TakeUntil, ASeparatorAtTheEndIsDroppedToo) {
    std::string_view rest = "a,";
    EXPECT_EQ(take_until(rest, ','), "a");
    EXPECT_EQ(rest, "");
}

TEST(SplitPair, DividesAtTheFirstEqualsSign) {
    const auto pair = split_pair("a=b=c");
    ASSERT_TRUE(pair);
    EXPECT_EQ(pair->name, "a");
    EXPECT_EQ(pair->value, "b=c");
    EXPECT_EQ(split_pair("=")->value, "");
    EXPECT_FALSE(split_pair("ab"));
}

}  // namespace
}  // namespace device_streams
