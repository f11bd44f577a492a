#include "tests/unit/tunnel/relay_fixture.hpp"

namespace device_streams {
namespace {

// A slow reader on one leg while the other leg ends: what had come before that has to reach it.
struct RelayToSlowReader : Relay {
    static constexpr std::size_t room = 4;
    void SetUp() override {
        start();
        left->out().capacity = room;
        send(*server, "first, second, third");
        ASSERT_EQ(left->out().bytes.size(), room);
    }
    // The right leg is gone without a word.
    void lose_right_leg() {
        right->give_up();
        poll(io);
    }
    void expect_delivered(CloseReason close_reason, bool with_end = false) {
        std::string all;
        std::array<std::byte, room> bytes;
        try {
            while (const auto size = client->try_read(bytes)) {
                all += *size == 0 ? "|end" : text_of(std::span(bytes).first(*size));
                poll(io);
            }
            ADD_FAILURE() << "no reset behind " << all;
        } catch (const StreamError& reset) {
            EXPECT_EQ(all, with_end ? "first, second, third|end" : "first, second, third");
        }
        ASSERT_TRUE(running->done());
        EXPECT_EQ(running->get().close_reason, close_reason);
        EXPECT_FALSE(running->get().left_caused);
        EXPECT_EQ(running->get().right_to_left, 20u);
        EXPECT_EQ(left->closed_with, close_reason);
    }
};

TEST_F(RelayToSlowReader, ALostLegTakesNothingBack) {
    lose_right_leg();
    pass(24h);
    EXPECT_FALSE(running->done()) << "it is waited for as long as it takes";
    expect_delivered(CloseReason::lost);
}

TEST_F(RelayToSlowReader, AStreamThatEndedInTheMiddleTakesNothingBack) {
    right->in().broken = true;  // its reader meets a Close of the hub, say
    right->in().broken_as = CloseReason::stopping;
    expect_delivered(CloseReason::stopping);
}

TEST_F(RelayToSlowReader, SendsIntoTheVoidMeanwhileInsteadOfBeingHeldUp) {
    lose_right_leg();
    left->in().capacity = 8;
    for (int i = 0; i < 100; ++i) {
        send(*client, "answered");
        EXPECT_TRUE(left->in().bytes.empty());
    }
    expect_delivered(CloseReason::lost);
    EXPECT_EQ(running->get().left_to_right, 0u) << "nobody got that";
}

TEST_F(RelayToSlowReader, EndsItsDirectionWhileTheRestArrives) {
    lose_right_leg();
    finish(*client);
    pass(24h);
    EXPECT_FALSE(running->done());
    expect_delivered(CloseReason::lost);
}

TEST_F(RelayToSlowReader, IsLeftWhenItResets) {
    lose_right_leg();
    client->abort(CloseReason::reset);
    poll(io);
    ASSERT_TRUE(running->done());
    EXPECT_EQ(running->get().close_reason, CloseReason::lost);
}

TEST_F(RelayToSlowReader, IsNotWaitedForByAnOwnEnd) {
    running->cancel();
    poll(io);
    ASSERT_TRUE(running->done());
    EXPECT_EQ(left->closed_with, CloseReason::stopping);
}

TEST_F(RelayToSlowReader, IsStalledInTheEnd) {
    running.reset();
    start(true, {.stall_timeout = 1min});
    left->out().capacity = room;
    send(*server, "first, second, third");
    lose_right_leg();
    pass(31s);
    EXPECT_FALSE(running->done());
    pass(31s);
    expect_time_up("stall_timeout");
}

// Both ends of direction came in order, and yet bytes may be missing at the far end.
TEST_F(RelayToSlowReader, WhoHadEndedBeforeAKnownLossSeesNoCleanEnd) {
    finish(*client);
    right->in().finished = true;
    lose_right_leg();
    expect_delivered(CloseReason::lost, true);
}

TEST_F(RelayToSlowReader, WhoseOwnEndWasDroppedSeesNoCleanEnd) {
    right->in().finished = true;
    lose_right_leg();
    send(*client, "to nobody");
    finish(*client);
    expect_delivered(CloseReason::lost, true);
}

// A service that echoes reads on only when it is read from: what cannot be passed on is taken all the same.
TEST_F(Relay, AHubTakesWhatIsForALostLegSoThatTheRestGetsThrough) {
    limits.left_is_local = false;
    start();
    left->out().capacity = 4;
    send(*server, "ten letters");
    right->give_up();
    poll(io);
    for (int i = 0; i < 10; ++i) send(*client, "echoed");
    EXPECT_TRUE(left->in().bytes.empty());
    EXPECT_EQ(receive(*client), "ten ");
    EXPECT_EQ(receive(*client), "lett");
    ASSERT_TRUE(running->done());
    EXPECT_EQ(running->get().close_reason, CloseReason::lost);
    EXPECT_EQ(running->get().left_to_right, 0u);
}

TEST_F(Relay, AHubThatLosesBothLegsIsDone) {
    limits.left_is_local = false;
    start();
    left->out().capacity = 4;
    send(*server, "ten letters");
    right->give_up();
    poll(io);
    EXPECT_FALSE(running->done());
    left->give_up();
    poll(io);
    ASSERT_TRUE(running->done());
    EXPECT_EQ(running->get().close_reason, CloseReason::lost);
}

TEST_F(Relay, WhatTheOtherLegSaidLastStillCountsWhenItCannotBeWrittenToAnyMore) {
    start();
    left->out().capacity = 4;
    send(*server, "last words");
    right->out().broken = true;  // only writing has failed so far
    right->out().broken_as = CloseReason::lost;
    send(*client, "to nobody");
    pass(1h);
    EXPECT_FALSE(running->done());
    finish(*server);
    EXPECT_EQ(receive(*client), "last");
    EXPECT_EQ(receive(*client), " wor");
    EXPECT_EQ(receive(*client), "ds|end");
}

}  // namespace
}  // namespace device_streams
