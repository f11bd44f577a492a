#include "common/mqtt/packet_budget.hpp"

#include <gtest/gtest.h>

namespace device_streams::mqtt {
namespace {

using namespace std::chrono_literals;

struct PacketBudgetTest : testing::Test {
    // How many packets of so many bytes are taken now.
    int taken(std::size_t bytes = 2) {
        int count = 0;
        for (; budget.has_some(now); ++count) budget.spend(bytes);
        return count;
    }
    Clock::time_point now{1h};
    PacketBudget budget{{.per_second = 10, .at_once = 5}, now};
};

TEST_F(PacketBudgetTest, SoManyAtOnceAndThenAtTheRate) {
    EXPECT_EQ(taken(), 5);
    EXPECT_EQ(budget.when(), now + 100ms);
    now += 99ms;
    EXPECT_EQ(taken(), 0);
    now += 1ms;
    EXPECT_EQ(taken(), 1);
    now += 350ms;
    EXPECT_EQ(taken(), 3);
}

TEST_F(PacketBudgetTest, SilenceSavesNoMoreThanTheWhole) {
    EXPECT_EQ(taken(), 5);
    now += 1h;
    EXPECT_EQ(taken(), 5);
}

TEST_F(PacketBudgetTest, LargePacketsCountAsSeveralAndAreOwed) {
    EXPECT_EQ(taken(1023), 5);
    now += 500ms;
    EXPECT_EQ(taken(1024), 3) << "the third is owed in part";
    now += 100ms;
    EXPECT_EQ(taken(), 0);
    now += 100ms;
    EXPECT_EQ(taken(), 1);
    now += 500ms;
    EXPECT_EQ(taken(256 * 1024), 1);
    EXPECT_EQ(budget.when(), now + 25'300ms);
}

}  // namespace
}  // namespace device_streams::mqtt
