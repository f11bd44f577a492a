#include "common/text/ascii.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

std::string those_that(bool (*belong)(char)) {
    std::string characters;
    for (int byte = 0; byte < 256; ++byte)
        if (const auto c = static_cast<char>(byte); belong(c)) characters += c;
    return characters;
}

TEST(Ascii, ClassesHoldNoOtherBytes) {
    EXPECT_EQ(those_that(is_digit), "0123456789");
    EXPECT_EQ(those_that(is_alphanumeric), "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    const auto visible = those_that(is_visible);
    EXPECT_EQ(visible.size(), 94U);
    EXPECT_EQ(visible.front(), '!');
    EXPECT_EQ(visible.back(), '~');
    const auto control = those_that(is_control_character);
    EXPECT_EQ(control.size(), 33U);
    EXPECT_EQ(control.substr(31), "\x1f\x7f");
}

TEST(Ascii, OnlyLettersHaveACase) {
    EXPECT_EQ(lower_case("AZ az @[`{ \xC4"), "az az @[`{ \xC4");
    EXPECT_EQ(upper_case("AZ az @[`{ \xE4"), "AZ AZ @[`{ \xE4");
}

TEST(EqualIgnoringCase, IgnoresNothingElse) {
    EXPECT_TRUE(equal_ignoring_case("", ""));
    EXPECT_TRUE(equal_ignoring_case("Keep-Alive", "KEEP-alive"));
    EXPECT_FALSE(equal_ignoring_case("keep", "keep "));
    EXPECT_FALSE(equal_ignoring_case("@", "`"));
    EXPECT_FALSE(equal_ignoring_case("\xC4", "\xE4"));
}

TEST(ConsistsOfAlphanumericsAnd, TakesWhatIsListed) {
    EXPECT_TRUE(consists_of_alphanumerics_and("", ""));
    EXPECT_TRUE(consists_of_alphanumerics_and("a-Z_9", "-_"));
    EXPECT_FALSE(consists_of_alphanumerics_and("a-b", "_"));
    EXPECT_FALSE(consists_of_alphanumerics_and("\xE4", "-"));
    EXPECT_FALSE(consists_of_alphanumerics_and(std::string_view("\0", 1), "-"));
}

}  // namespace
}  // namespace device_streams
