#include "hub/streams/link_renewal.hpp"

#include <gtest/gtest.h>

namespace device_streams::hub {
namespace {

using namespace std::chrono_literals;

const std::string one = "00000000000000a1", other = "00000000000000b2", none;
const std::string here = "192.0.2.7:5000", here_too = "192.0.2.7:5001", there = "192.0.2.8:5000";
constexpr Clock::duration hour = 1h, years = 24h * 365 * 10;

struct Case {
    const char* what;
    LinkClient old;
    Clock::duration age;
    LinkClient next;
    bool renewal;
};

void check(const std::vector<Case>& cases) {
    for (const auto& tried : cases)
        EXPECT_EQ(is_renewal(tried.old, tried.age, tried.next), tried.renewal) << tried.what;
}

TEST(LinkRenewal, KnowsAClientThatAnnouncesItByItsInstance) {
    check({
        {"early, from the same address", {one, here, hour}, 1s, {one, here_too, hour}, true},
        {"in another network", {one, here, hour}, 1s, {one, there, hour}, true},
        {"with a certificate", {one, here, years}, 48min, {one, here, years}, true},
        {"another process, same address", {one, here, hour}, 1s, {other, here_too, hour}, false},
        {"another process, when it is time", {one, here, hour}, 48min, {other, here_too, hour}, false},
        {"another process elsewhere", {one, here, hour}, 48min, {other, there, hour}, false},
    });
}

TEST(LinkRenewal, KnowsAForeignClientByItsAddressAndItsTokensAge) {
    check({
        {"10 %", {none, here, hour}, 6min, {none, here_too, hour}, false},
        {"69 %", {none, here, hour}, 2484s, {none, here_too, hour}, false},
        {"just short of 70 %", {none, here, hour}, 2520s - 1ms, {none, here_too, hour}, false},
        {"70 %", {none, here, hour}, 2520s, {none, here_too, hour}, true},
        {"100 %", {none, here, hour}, hour, {none, here_too, hour}, true},
        {"just before the hub would end it", {none, here, hour}, 70min - 1s, {none, here_too, hour}, true},
        {"another address", {none, here, hour}, 48min, {none, there, hour}, false},
        {"the token of the new link counts for its own renewal", {none, here, hour}, 48min, {none, here, 1min}, true},
    });
}

TEST(LinkRenewal, AlarmsWhenTwoForeignMachinesBehindOneAddressFight) {
    const LinkClient first{none, here, hour}, second{none, here_too, hour};
    EXPECT_TRUE(is_renewal(first, 48min, second)) << "this once nobody could tell";
    EXPECT_FALSE(is_renewal(second, 5s, first));
}

TEST(LinkRenewal, FindsNoTimeForItWithCertificatesAndEndlessOrExpiredTokens) {
    check({
        {"a certificate that lives for years", {none, here, years}, 24h * 30, {none, here, years}, false},
        {"an endless token", {none, here, 24h * 365 * 100}, 24h * 365, {none, here, hour}, false},
        {"a token within its grace", {none, here, -1s}, 1s, {none, here, -2s}, false},
        {"a token that ran out at its login", {none, here, 0s}, 1s, {none, here, hour}, false},
    });
}

TEST(LinkRenewal, TakesAClientThatAnnouncesItOnOneLinkOnlyForTwo) {
    check({
        {"on the old one", {one, here, hour}, 48min, {none, here, hour}, false},
        {"on the new one", {none, here, hour}, 48min, {one, here, hour}, false},
    });
}

TEST(LinkRenewal, TakesAnIpv6NetworkForOneAddress) {
    const LinkClient old{none, "[2001:db8:0:1::7]:5000", hour};
    EXPECT_TRUE(is_renewal(old, 48min, {none, "[2001:db8:0:1:abcd::9]:5001", hour})) << "its addresses change";
    EXPECT_FALSE(is_renewal(old, 48min, {none, "[2001:db8:0:2::7]:5001", hour}));
}

}  // namespace
}  // namespace device_streams::hub
