#include "common/app/stop_policy.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

TEST(StopPolicy, FirstTerminateDrains) {
    StopPolicy policy;
    EXPECT_FALSE(policy.is_stopping());
    EXPECT_EQ(policy.on_terminate(), StopStep::drain);
    EXPECT_TRUE(policy.is_stopping());
}

TEST(StopPolicy, SecondTerminateCancelsAndThirdGivesUp) {
    StopPolicy policy;
    policy.on_terminate();
    EXPECT_EQ(policy.on_terminate(), StopStep::cancel);
    EXPECT_EQ(policy.on_terminate(), StopStep::give_up);
}

TEST(StopPolicy, HandOverHasNoTimeLimit) {
    StopPolicy policy;
    EXPECT_EQ(policy.on_hand_over(), StopStep::hand_over);
    EXPECT_EQ(policy.on_time_up(), StopStep::nothing);
}

TEST(StopPolicy, TerminateAfterHandOverDrains) {
    StopPolicy policy;
    policy.on_hand_over();
    EXPECT_EQ(policy.on_terminate(), StopStep::drain);
}

TEST(StopPolicy, HandOverNeverUndoesADrain) {
    StopPolicy policy;
    policy.on_terminate();
    EXPECT_EQ(policy.on_hand_over(), StopStep::nothing);
    EXPECT_EQ(policy.on_terminate(), StopStep::cancel);
}

TEST(StopPolicy, DrainThatTakesTooLongIsCancelledAndThenLeft) {
    StopPolicy policy;
    policy.on_terminate();
    EXPECT_EQ(policy.on_time_up(), StopStep::cancel);
    EXPECT_EQ(policy.on_time_up(), StopStep::give_up);
}

TEST(StopPolicy, FailedStartCancels) {
    StopPolicy policy;
    EXPECT_EQ(policy.on_start_failed(), StopStep::cancel);
}

}  // namespace
}  // namespace device_streams
