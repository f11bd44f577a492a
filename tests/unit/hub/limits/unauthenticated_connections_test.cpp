#include "hub/limits/unauthenticated_connections.hpp"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace device_streams::hub {
namespace {

using namespace std::chrono_literals;

struct UnauthenticatedConnectionsTest : testing::Test {
    UnauthenticatedConnectionsTest() { allow(2, 9); }
    void allow(std::size_t per_address, std::size_t in_all) {
        limits.connections_per_address = per_address;
        limits.connections_without_login = in_all;
    }
    // Whether it was let in. It stays until leave().
    bool enter(const std::string& peer) {
        auto entered = visitors.enter(peer, limits, [this, peer](const std::function<bool()>& still_here) {
            if (still_here()) sent_away.push_back(peer);
        });
        reported = entered.sent_away;
        if (!entered.slot) return false;
        slots.emplace(peer, std::move(*entered.slot));
        return true;
    }
    void enter_many(const std::string& before, const std::string& behind, int count) {
        for (int number = 0; number < count; ++number) EXPECT_TRUE(enter(before + std::to_string(number) + behind));
    }
    void leave(const std::string& peer) { slots.erase(peer); }

    ConnectionLimits limits;
    UnauthenticatedConnections visitors;
    std::multimap<std::string, UnauthenticatedConnections::Slot> slots;
    std::vector<std::string> sent_away;
    std::string reported;
};
using Peers = std::vector<std::string>;

TEST_F(UnauthenticatedConnectionsTest, TheOldestOfAnAddressMakesRoomForItsNext) {
    for (const auto* peer : {"203.0.113.7:1", "203.0.113.7:2", "203.0.113.8:3", "[2001:db8::1]:3"})
        EXPECT_TRUE(enter(peer));
    EXPECT_EQ(sent_away, Peers());
    EXPECT_TRUE(enter("203.0.113.7:3"));
    EXPECT_EQ(sent_away, Peers{"203.0.113.7:1"});
    EXPECT_EQ(reported, "203.0.113.7:1");
    EXPECT_TRUE(enter("203.0.113.7:4"));
    EXPECT_EQ(sent_away, (Peers{"203.0.113.7:1", "203.0.113.7:2"}));
}

TEST_F(UnauthenticatedConnectionsTest, WhoCannotBeSentAwayHasHalfOfTheRoom) {
    const auto request = [&](const std::string& peer) { return visitors.enter(peer, limits, SendAway()); };
    std::vector<UnauthenticatedConnections::Entered> requests;
    for (int client = 0; client < 4; ++client) requests.push_back(request("192.0.2." + std::to_string(client) + ":1"));
    for (const auto& entered : requests) EXPECT_TRUE(entered.slot);
    EXPECT_FALSE(request("192.0.2.9:1").slot) << "4 of 9";
    enter_many("203.0.113.", ":1", 9);
    EXPECT_EQ(sent_away.size(), 4U) << "newcomers get the places of those that can go";
    requests.pop_back();
    EXPECT_TRUE(request("192.0.2.9:1").slot);
}

TEST_F(UnauthenticatedConnectionsTest, PlaceIsFreeAgainWhenTheVisitorLeaves) {
    enter("203.0.113.7:1");
    enter("203.0.113.7:2");
    leave("203.0.113.7:2");
    EXPECT_TRUE(enter("203.0.113.7:3"));
    EXPECT_EQ(sent_away, Peers());
    EXPECT_EQ(reported, "");
}

TEST_F(UnauthenticatedConnectionsTest, WhoWasSentAwayLeavesOnce) {
    allow(1, 9);
    enter("203.0.113.7:1");
    enter("203.0.113.7:2");
    leave("203.0.113.7:1");
    enter("203.0.113.7:3");
    EXPECT_EQ(sent_away, (Peers{"203.0.113.7:1", "203.0.113.7:2"})) << "the place of the first counts once";
}

TEST_F(UnauthenticatedConnectionsTest, WhoHasLoggedInMeanwhileIsNotSentAway) {
    allow(1, 9);
    std::function<bool()> first_is_still_here;
    auto first = visitors.enter("203.0.113.7:1", limits,
                                [&](std::function<bool()> still_here) { first_is_still_here = std::move(still_here); });
    enter("203.0.113.7:2");
    ASSERT_TRUE(first_is_still_here);
    EXPECT_TRUE(first_is_still_here());
    first.slot.reset();
    EXPECT_FALSE(first_is_still_here());
}

TEST_F(UnauthenticatedConnectionsTest, TheOldestOfAllMakesRoomWhenNobodyStandsOut) {
    allow(40, 40);
    enter_many("192.0.2.", ":1", 40);
    enter("203.0.113.7:1");
    enter("203.0.113.7:2");
    EXPECT_EQ(sent_away, (Peers{"192.0.2.0:1", "192.0.2.1:1"}));
}

TEST_F(UnauthenticatedConnectionsTest, WhoComesFurtherIsAsGoodAsNew) {
    allow(3, 100);
    for (const auto* peer : {"203.0.113.7:1", "203.0.113.7:2", "203.0.113.7:3"}) enter(peer);
    slots.find("203.0.113.7:1")->second.advance();
    for (const auto* peer : {"203.0.113.7:4", "203.0.113.7:5", "203.0.113.7:6"}) enter(peer);
    EXPECT_EQ(sent_away, (Peers{"203.0.113.7:2", "203.0.113.7:3", "203.0.113.7:1"}));
    slots.find("203.0.113.7:1")->second.advance();
    enter("203.0.113.7:7");
    EXPECT_EQ(sent_away.back(), "203.0.113.7:4") << "who has no place any more gets none by that";
}

TEST_F(UnauthenticatedConnectionsTest, ACrowdGivesUpItsOwnOldest) {
    allow(30, 40);
    enter("203.0.113.7:1");
    enter_many("192.0.2.1:", "", 30);
    enter_many("192.0.2.2:", "", 9);
    enter("203.0.113.8:1");
    enter("203.0.113.9:1");
    EXPECT_EQ(sent_away, (Peers{"192.0.2.1:0", "192.0.2.1:1"})) << "not the honest one that was there before";
}

TEST_F(UnauthenticatedConnectionsTest, Ipv6NetworksCountAsTheirCustomersDo) {
    allow(2, 1000);
    enter_many("[2001:db8:1:2::", "]:1", 3);
    EXPECT_EQ(sent_away, Peers{"[2001:db8:1:2::0]:1"}) << "two in a /64";
    sent_away.clear();
    enter_many("[2001:db8:2:1", "::1]:1", 5);
    EXPECT_EQ(sent_away, Peers{"[2001:db8:2:10::1]:1"}) << "four in a /56";
    sent_away.clear();
    enter_many("[2001:db8:3:", "00::1]:1", 9);
    EXPECT_EQ(sent_away, Peers{"[2001:db8:3:000::1]:1"}) << "eight in a /48";
}

TEST_F(UnauthenticatedConnectionsTest, InsideACrowdedNetworkTheCrowdedPartPays) {
    allow(8, 1000);
    enter("[2001:db8:1:ff00::1]:1");
    for (int part = 0; part < 4; ++part) enter_many("[2001:db8:1:" + std::to_string(part) + "00::", "]:1", 8);
    ASSERT_EQ(sent_away.size(), 1U);
    EXPECT_TRUE(sent_away[0].ends_with("::0]:1")) << "the oldest of one of the full ones: " << sent_away[0];
    enter("[2001:db8:1:ff00::2]:1");
    ASSERT_EQ(sent_away.size(), 2U);
    EXPECT_NE(sent_away[1], "[2001:db8:1:ff00::1]:1") << "the oldest of the /48, but its own /56 is almost empty";
}

TEST_F(UnauthenticatedConnectionsTest, TrustedProxyIsCountedAmongAllOnlyAndStays) {
    allow(1, 3);
    limits.trusted_proxies = {TrustedProxy::parse("10.0.0.1").value()};
    for (const auto* peer : {"10.0.0.1:1", "10.0.0.1:2", "10.0.0.1:3"}) EXPECT_TRUE(enter(peer));
    EXPECT_FALSE(enter("203.0.113.7:1"));
    EXPECT_FALSE(enter("10.0.0.1:4"));
    leave("10.0.0.1:1");
    EXPECT_TRUE(enter("203.0.113.7:1"));
    EXPECT_TRUE(enter("10.0.0.1:4")) << "in the place of the stranger";
    EXPECT_EQ(sent_away, Peers{"203.0.113.7:1"});
}

TEST_F(UnauthenticatedConnectionsTest, ConnectionsOfFrontEndsAreCountedAndStay) {
    allow(2, 6);
    const auto first = visitors.enter("203.0.113.7:1", limits, {}),
               second = visitors.enter("203.0.113.7:2", limits, {});
    EXPECT_TRUE(first.slot && second.slot);
    first.slot->advance();
    EXPECT_FALSE(visitors.enter("203.0.113.7:3", limits, {}).slot);
    for (const auto* peer : {"203.0.113.8:1", "203.0.113.8:2", "192.0.2.1:1"}) EXPECT_TRUE(enter(peer));
    EXPECT_TRUE(visitors.enter("203.0.113.9:1", limits, {}).slot);
    EXPECT_EQ(sent_away, Peers());
    EXPECT_TRUE(enter("192.0.2.2:1"));
    EXPECT_TRUE(enter("192.0.2.3:1"));
    EXPECT_EQ(sent_away, Peers{"203.0.113.8:1"}) << "the oldest that can go";
}

TEST_F(UnauthenticatedConnectionsTest, PatienceIsShortWhereHalfOfTheRoomIsTaken) {
    allow(4, 10);
    enter("203.0.113.7:1");
    const auto& first = slots.begin()->second;
    enter("203.0.113.7:2");
    EXPECT_EQ(first.patience(60s), 60s);
    enter("203.0.113.7:3");
    EXPECT_EQ(first.patience(60s), 15s) << "more than half of what its address may have";
    leave("203.0.113.7:3");
    EXPECT_EQ(first.patience(60s), 60s);
    for (const auto* peer : {"192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1", "192.0.2.4:1"}) enter(peer);
    EXPECT_EQ(first.patience(60s), 30s) << "more than half of all, and the crowd is another";
    limits.trusted_proxies = {TrustedProxy::parse("10.0.0.1").value()};
    const auto of_proxy = visitors.enter("10.0.0.1:1", limits, {});
    EXPECT_EQ(of_proxy.slot->patience(60s), 30s);
}

}  // namespace
}  // namespace device_streams::hub
