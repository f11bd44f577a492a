#include "hub/visitors.hpp"

#include <gtest/gtest.h>

namespace device_streams::hub {
namespace {

TEST(VisitorsTest, LimitHoldsForEachAddressAlone) {
    Visitors visitors;
    const auto first = visitors.enter("203.0.113.7:1", 2);
    const auto second = visitors.enter("203.0.113.7:2", 2);
    EXPECT_TRUE(first && second);
    EXPECT_FALSE(visitors.enter("203.0.113.7:3", 2));
    EXPECT_TRUE(visitors.enter("203.0.113.8:3", 2));
    EXPECT_TRUE(visitors.enter("[2001:db8::1]:3", 2));
}

TEST(VisitorsTest, PlaceIsFreeAgainWhenTheVisitorLeaves) {
    Visitors visitors;
    auto first = visitors.enter("203.0.113.7:1", 1);
    EXPECT_FALSE(visitors.enter("203.0.113.7:2", 1));
    first.reset();
    EXPECT_TRUE(visitors.enter("203.0.113.7:2", 1));
}

}  // namespace
}  // namespace device_streams::hub
