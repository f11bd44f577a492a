#include "hub/visitors.hpp"

#include <gtest/gtest.h>

namespace device_streams::hub {
namespace {

TEST(VisitorsTest, LimitHoldsForEachAddressAlone) {
    Visitors visitors;
    const auto first = visitors.enter("203.0.113.7:1", {2, 9});
    const auto second = visitors.enter("203.0.113.7:2", {2, 9});
    EXPECT_TRUE(first && second);
    EXPECT_FALSE(visitors.enter("203.0.113.7:3", {2, 9}));
    EXPECT_TRUE(visitors.enter("203.0.113.8:3", {2, 9}));
    EXPECT_TRUE(visitors.enter("[2001:db8::1]:3", {2, 9}));
}

TEST(VisitorsTest, PlaceIsFreeAgainWhenTheVisitorLeaves) {
    Visitors visitors;
    auto first = visitors.enter("203.0.113.7:1", {1, 9});
    EXPECT_FALSE(visitors.enter("203.0.113.7:2", {1, 9}));
    first.reset();
    EXPECT_TRUE(visitors.enter("203.0.113.7:2", {1, 9}));
}

TEST(VisitorsTest, LimitHoldsForAllAddressesTogether) {
    Visitors visitors;
    auto first = visitors.enter("203.0.113.7:1", {2, 2});
    const auto second = visitors.enter("203.0.113.8:1", {2, 2});
    EXPECT_FALSE(visitors.enter("203.0.113.9:1", {2, 2}));
    first.reset();
    EXPECT_TRUE(visitors.enter("203.0.113.9:1", {2, 2}));
}

TEST(VisitorsTest, NetworkOf64BitsIsOneHousehold) {
    EXPECT_EQ(household_of("[2001:db8:1:2:3:4:5:6]:443"), household_of("[2001:db8:1:2:ffff::1]:1"));
    EXPECT_NE(household_of("[2001:db8:1:2::1]:1"), household_of("[2001:db8:1:3::1]:1"));
    EXPECT_EQ(household_of("[2001:db8:1:2::1]:1"), "2001:db8:1:2::/64");
}

TEST(VisitorsTest, Ipv4IsTheSameWhereItComesMapped) {
    EXPECT_EQ(household_of("[::ffff:203.0.113.7]:1"), "203.0.113.7");
    EXPECT_EQ(household_of("203.0.113.7:1"), "203.0.113.7");
    EXPECT_EQ(household_of("gone"), "gone");
}

}  // namespace
}  // namespace device_streams::hub
