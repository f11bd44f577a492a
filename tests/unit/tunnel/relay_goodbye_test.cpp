#include "tests/unit/tunnel/relay_fixture.hpp"

namespace device_streams {
namespace {

TEST_F(Relay, ACleanGoodbyeWaitsForAPeerThatStillTakesItsBytes) {
    start();
    right->still_delivering = true;
    finish(*client);
    finish(*server);
    for (int i = 0; i < 100; ++i) pass(limits.goodbye);
    EXPECT_FALSE(running->done());
    right->still_delivering = false;
    right->out().notify();
    poll(io);
    ASSERT_TRUE(running->done());
    EXPECT_TRUE(right->closed_well);
    EXPECT_EQ(running->get().close_reason, CloseReason::clean);
}

TEST_F(Relay, AGoodbyeIsGivenUpOnceNothingIsUnderWay) {
    start();
    right->still_delivering = true;
    finish(*client);
    finish(*server);
    right->still_delivering = false;  // and the peer says nothing
    pass(limits.goodbye);
    ASSERT_TRUE(running->done());
    EXPECT_FALSE(right->closed_well);
}

TEST_F(Relay, AStallEndsAGoodbyeToo) {
    start(true, {.stall_timeout = 1min});
    right->still_delivering = true;
    finish(*client);
    finish(*server);
    pass(59s);
    EXPECT_FALSE(running->done());
    pass(2s);
    EXPECT_TRUE(running->done());
}

TEST_F(Relay, AStallEndsAGoodbyeOnlyWhenThePeerTakesNothing) {
    start(true, {.stall_timeout = 1min});
    left->still_delivering = true;
    left->undelivered_bytes = 1000;
    right->give_up();
    poll(io);
    for (int i = 0; i < 100; ++i) {
        --left->undelivered_bytes;
        pass(59s);
    }
    EXPECT_FALSE(running->done());
    pass(1min);
    pass(1min);
    EXPECT_TRUE(running->done());
}

TEST_F(Relay, ALifetimeEndsAGoodbyeToo) {
    start(true, {.max_lifetime = 1h});
    left->still_delivering = true;
    right->give_up();
    pass(59min);
    EXPECT_FALSE(running->done());
    pass(2min);
    EXPECT_TRUE(running->done());
}

TEST_F(Relay, AnObjectionToTheGoodbyeIsNoCleanEnd) {
    start();
    right->objection = StreamError(CloseReason::lost, "code 1011");
    finish(*client);
    finish(*server);
    ASSERT_TRUE(running->done());
    EXPECT_EQ(running->get().close_reason, CloseReason::lost);
    EXPECT_FALSE(running->get().left_caused);
    EXPECT_EQ(left->closed_with, CloseReason::lost);
}

TEST_F(Relay, AResetWaitsUntilWhatWasPassedOnHasArrived) {
    start();
    send(*server, "all of it");
    left->still_delivering = true;
    right->give_up();
    poll(io);
    for (int i = 0; i < 100; ++i) pass(limits.goodbye);
    EXPECT_FALSE(running->done());
    EXPECT_FALSE(left->out().broken);
    left->still_delivering = false;
    left->out().notify();
    poll(io);
    ASSERT_TRUE(running->done());
    EXPECT_TRUE(left->closed_well);
    EXPECT_EQ(running->get().close_reason, CloseReason::lost);
}

TEST_F(Relay, AResetOfTheOtherEndWaitsNoLongerThanAGoodbye) {
    start();
    left->still_delivering = true;
    right->in().broken = true;
    right->in().notify();
    poll(io);
    EXPECT_FALSE(running->done());
    pass(limits.goodbye);
    ASSERT_TRUE(running->done());
    EXPECT_EQ(running->get().close_reason, CloseReason::reset);
    EXPECT_EQ(left->closed_with, CloseReason::reset);
}

TEST_F(Relay, AnOwnEndWaitsNoLongerThanAGoodbye) {
    start(true, {.max_lifetime = 1h});
    left->still_delivering = true;
    pass(1h);
    EXPECT_FALSE(running->done());
    pass(limits.goodbye);
    expect_time_up("max_lifetime");
}

}  // namespace
}  // namespace device_streams
