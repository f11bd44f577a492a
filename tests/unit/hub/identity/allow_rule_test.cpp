#include "hub/identity/allow_rule.hpp"

#include "common/base/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace device_streams::hub {
namespace {

using ::testing::HasSubstr;

bool is_for(std::string_view pattern, const iothub::Target& target) {
    return parse_allow_rule(std::string(pattern) + " *").is_for(target);
}

TEST(AllowRule, ComparesDevicesWithItsPattern) {
    EXPECT_TRUE(is_for("pump-17", {"pump-17", ""}));
    EXPECT_FALSE(is_for("pump-17", {"pump-171", ""}));
    EXPECT_FALSE(is_for("pump-17", {"Pump-17", ""}));
    EXPECT_TRUE(is_for("pump-*", {"pump-", ""}));
    EXPECT_TRUE(is_for("pump-*", {"pump-17", ""}));
    EXPECT_FALSE(is_for("pump-*", {"a-pump-17", ""}));
    EXPECT_TRUE(is_for("*-1?-*", {"a-2-b-17-c", ""}));
    EXPECT_FALSE(is_for("*-1?-*", {"a-1-c", ""}));
    EXPECT_TRUE(is_for("**", {"x", ""}));
    EXPECT_FALSE(is_for("?", {"xy", ""}));
}

TEST(AllowRule, TakesSpecialCharactersAsTheyAreBehindABackslash) {
    EXPECT_TRUE(is_for(R"(a\*)", {"a*", ""}));
    EXPECT_FALSE(is_for(R"(a\*)", {"ab", ""}));
    EXPECT_TRUE(is_for(R"(*\?)", {"what?", ""}));
    EXPECT_FALSE(is_for(R"(*\?)", {"whatx", ""}));
}

TEST(AllowRule, MeansTheModulesOfADeviceAsWellUnlessItNamesOne) {
    EXPECT_TRUE(is_for("pump-*", {"pump-17", "tunnel"}));
    EXPECT_FALSE(is_for("pump-*/tunnel", {"pump-17", ""}));
    EXPECT_TRUE(is_for("pump-*/tun*", {"pump-17", "tunnel"}));
    EXPECT_FALSE(is_for("pump-*/tun*", {"pump-17", "other"}));
    EXPECT_FALSE(is_for("pump-*/*", {"valve-1", "tunnel"}));
    EXPECT_FALSE(is_for("*/*", {"pump-17", ""}));
}

TEST(AllowRule, NeedsTimeThatGrowsSlowlyWhateverThePattern) {
    std::string stars;
    for (int i = 0; i < 60; ++i) stars += "*a";
    EXPECT_FALSE(is_for(stars + "b", {std::string(128, 'a'), ""}));
}

TEST(AllowRule, IncludesTheServicesItNames) {
    const auto rule = parse_allow_rule("* ssh,rdp");
    EXPECT_TRUE(rule.includes("ssh"));
    EXPECT_TRUE(rule.includes("rdp"));
    EXPECT_FALSE(rule.includes("ss"));
    EXPECT_FALSE(rule.includes(""));
    EXPECT_TRUE(parse_allow_rule("* *").includes("anything"));
}

TEST(AllowRule, IsWrittenInOneWay) {
    const auto again = [](std::string_view text) { return to_string(parse_allow_rule(text)); };
    EXPECT_EQ(again("* *"), "* *");
    EXPECT_EQ(to_string(AllowRule()), "* *");
    EXPECT_EQ(again("  pump-*/x   ssh,rdp,ssh "), "pump-*/x rdp,ssh");
    EXPECT_EQ(again("* ssh UTC 08:00-18:00 mon-fri"), "* ssh mon-fri 08:00-18:00 UTC");
    EXPECT_EQ(parse_allow_rule("a b,c utc"), parse_allow_rule("a  c,b UTC+00:00"));
}

TEST(AllowRule, SaysWhatIsWrong) {
    const auto fault = [](std::string_view text) -> std::string {
        try {
            return "none, it means " + to_string(parse_allow_rule(text));
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.errc(), Errc::usage);
            return failure.detail();
        }
    };
    EXPECT_THAT(fault(""), HasSubstr("too short: it is written DEVICE[/MODULE] SERVICE"));
    EXPECT_THAT(fault("pump-*"), HasSubstr("\"pump-*\" is too short"));
    EXPECT_THAT(fault("/m ssh"), HasSubstr("the pattern of the device is empty"));
    EXPECT_THAT(fault("a/ ssh"), HasSubstr("the pattern of the module is empty"));
    EXPECT_THAT(fault("a/b/c ssh"), HasSubstr("can match no module"));
    EXPECT_THAT(fault("a[0-9] ssh"), HasSubstr("\"a[0-9]\" can match no device"));
    EXPECT_THAT(fault("p\xc3\xbcmp ssh"), HasSubstr("can match no device"));
    EXPECT_THAT(fault(std::string(129, 'a') + " ssh"), HasSubstr("can match no device"));
    EXPECT_THAT(fault("a\\ ssh"), HasSubstr("ends in a \\"));
    EXPECT_THAT(fault("a ssh,"), HasSubstr("\"\" is no service"));
    EXPECT_THAT(fault("a s*"), HasSubstr("\"s*\" is no service"));
    EXPECT_THAT(fault("a ssh rdp"), HasSubstr("\"rdp\" is neither days"));
    EXPECT_THAT(fault("a ssh 08:00-18:00"), HasSubstr("need a time zone"));
}

}  // namespace
}  // namespace device_streams::hub
