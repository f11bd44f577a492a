#include "hub/limits/visitors.hpp"

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

TEST(VisitorsTest, Ipv6NetworkIsOneAddress) {
    Visitors visitors;
    const auto first = visitors.enter("[2001:db8:1:2:3:4:5:6]:1", {1, 9});
    EXPECT_FALSE(visitors.enter("[2001:db8:1:2::1]:1", {1, 9}));
    EXPECT_TRUE(visitors.enter("[2001:db8:1:3::1]:1", {1, 9}));
}

}  // namespace
}  // namespace device_streams::hub
