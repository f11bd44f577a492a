#include "tests/unit/tunnel/relay_fixture.hpp"

namespace device_streams {
namespace {

TEST_F(Relay, EndsAnIdleStreamOnlyOnceNothingWasCarried) {
    start(true, {.idle_timeout = 10min});
    for (int i = 0; i < 10; ++i) {
        pass(9min);
        send(i % 2 == 0 ? *client : *server, "x");
    }
    EXPECT_FALSE(running->done());
    pass(9min);
    EXPECT_FALSE(running->done());
    pass(1min);
    expect_time_up("idle_timeout");
}

TEST_F(Relay, AStreamThatWaitsForASlowReaderIsNotIdle) {
    start(true, {.idle_timeout = 10min});
    right->out().capacity = 4;
    send(*client, "more than four");
    for (int i = 0; i < 10; ++i) pass(10min);
    EXPECT_FALSE(running->done());
}

TEST_F(Relay, EndsAStreamAtItsLifetimeHoweverBusy) {
    start(true, {.max_lifetime = 1h});
    for (int i = 0; i < 59; ++i) {
        pass(1min);
        send(*client, "x");
    }
    EXPECT_FALSE(running->done());
    pass(1min);
    expect_time_up("max_lifetime");
}

TEST_F(Relay, EndsAStreamThatStallsInOneDirection) {
    start(true, {.stall_timeout = 1min});
    right->out().capacity = 4;
    send(*client, "more than four");
    for (int i = 0; i < 59; ++i) {
        pass(1s);
        send(*server, "busy");
        receive(*client);
    }
    EXPECT_FALSE(running->done());
    pass(31s);
    expect_time_up("stall_timeout");
}

TEST_F(Relay, ASlowReaderThatGoesOnIsNotStalled) {
    start(true, {.stall_timeout = 1min});
    right->out().capacity = 4;
    for (int i = 0; i < 10; ++i) {
        send(*client, "eight by");
        pass(59s);
        EXPECT_EQ(receive(*server), "eigh");
        EXPECT_EQ(receive(*server), "t by");
    }
    EXPECT_FALSE(running->done());
}

}  // namespace
}  // namespace device_streams
