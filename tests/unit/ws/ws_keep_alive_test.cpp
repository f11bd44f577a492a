#include "common/ws/ws_stream.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/unit/ws/ws_fixture.hpp"

namespace device_streams::ws {
namespace {

using namespace std::chrono_literals;

struct WithClock {
    test::ManualClock clock;
};

// A leg whose peer pings as well (or not), with nobody reading it yet.
class WsKeepAlive : public WithClock, public WsFixture {
 protected:
    explicit WsKeepAlive(bool peer_pings = true)
        : WsFixture({.role = Role::server,
                     .clock = &clock,
                     .keep_alive =
                         KeepAlive{.liveness = {.ping_every = 30s, .dead_after = 60s}, .peer_pings = peer_pings}}) {}

    void pass(Clock::duration time) {
        clock.advance(time);
        for (int i = 0; i < 5; ++i) driver.poll();
    }
    std::size_t pings() const {
        const auto frames = sent();
        return static_cast<std::size_t>(std::ranges::count(frames, Opcode::ping, &SentFrame::opcode));
    }
    // Waits for input, as a reader that has taken all.
    test::Running<void> listen() {
        EXPECT_EQ(try_read(), "-");
        return driver.start(stream.wait_readable());
    }
    static CloseReason close_reason_of(test::Running<void>& watching) {
        try {
            watching.get();
        } catch (const StreamError& on_lost) {
            return on_lost.close_reason();
        }
        return CloseReason::clean;
    }
};

TEST_F(WsKeepAlive, APeerThatHasNotAnsweredTheCloseStillWorksThroughWhatItGot) {
    auto closing = driver.start(stream.close(CloseReason::clean));
    pass(50s);
    EXPECT_GT(stream.undelivered(), 0U);
    transport->push(from_client(9, "busy"));
    driver.poll();
    pass(50s);
    EXPECT_GT(stream.undelivered(), 0U);
    pass(10s);
    EXPECT_EQ(stream.undelivered(), 0U);
    transport->still_delivering = true;
    EXPECT_GT(stream.undelivered(), 0U);
    transport->push(from_client(8, "\x03\xe8"));
    driver.poll();
    EXPECT_EQ(stream.undelivered(), 0U);
    EXPECT_EQ(pings(), 0U);
}

class WsKeepAliveForeign : public WsKeepAlive {
 protected:
    WsKeepAliveForeign() : WsKeepAlive(false) {}
};

TEST_F(WsKeepAlive, PingsWhenNothingWasSentForAWhile) {
    auto watching = driver.start(wait_until_lost(stream));
    pass(29s);
    EXPECT_EQ(pings(), 0U);
    pass(1s);
    EXPECT_EQ(pings(), 1U);
    pass(30s);
    EXPECT_EQ(pings(), 2U);
}

TEST_F(WsKeepAlive, SendsNoPingSoonAfterData) {
    auto watching = driver.start(wait_until_lost(stream));
    pass(20s);
    driver.run(write("x"));
    pass(29s);
    EXPECT_EQ(pings(), 0U);
    pass(1s);
    EXPECT_EQ(pings(), 1U);
}

TEST_F(WsKeepAlive, LosesAHeldLegOnWhichNothingIsHeard) {
    auto holding = driver.start(stream.park());
    auto watching = driver.start(wait_until_lost(stream));
    pass(59s);
    EXPECT_FALSE(watching.done());
    pass(1s);
    EXPECT_EQ(close_reason_of(watching), CloseReason::lost);
}

TEST_F(WsKeepAlive, AHeldLegWhoseFirstPayloadIsKeptMayBeSilent) {
    auto holding = driver.start(stream.park());
    auto watching = driver.start(wait_until_lost(stream));
    transport->push(from_client(2, "x"));
    pass(10min);
    EXPECT_FALSE(watching.done());
}

TEST_F(WsKeepAlive, LosesALegOnWhichNothingIsHeard) {
    auto watching = driver.start(wait_until_lost(stream));
    auto listening = listen();
    pass(59s);
    EXPECT_FALSE(watching.done());
    pass(1s);
    ASSERT_TRUE(watching.done());
    EXPECT_EQ(close_reason_of(watching), CloseReason::lost);
    EXPECT_TRUE(listening.done()) << "its reader is woken";
    try {
        try_read();
        ADD_FAILURE() << "its reader is not told";
    } catch (const StreamError& silence) {
        EXPECT_STREQ(silence.what(), "nothing was heard for 60 s");
    }
}

TEST_F(WsKeepAlive, WhatCameUnseenBeforeTheSilenceWasJudgedIsReadFirst) {
    auto watching = driver.start(wait_until_lost(stream));
    auto listening = listen();
    clock.advance(60s);
    transport->push(from_client(2, "late"));
    driver.poll();
    EXPECT_EQ(try_read(), "[late]");
}

TEST_F(WsKeepAlive, AnythingHeardCounts) {
    auto watching = driver.start(wait_until_lost(stream));
    auto listening = listen();
    pass(50s);
    transport->push(from_client(9, "p"));
    driver.poll();
    EXPECT_TRUE(listening.done());
    auto again = listen();
    pass(50s);
    EXPECT_FALSE(watching.done());
    pass(10s);
    EXPECT_TRUE(watching.done());
}

TEST_F(WsKeepAlive, JudgesNoPeerThatNobodyListensTo) {
    auto watching = driver.start(wait_until_lost(stream));
    transport->push(from_client(2, "unread"));
    for (int i = 0; i < 20; ++i) pass(30s);
    EXPECT_FALSE(watching.done());
    EXPECT_EQ(try_read(), "[unread]");
    auto listening = listen();
    pass(30s);
    EXPECT_FALSE(watching.done());
    pass(30s);
    EXPECT_TRUE(watching.done());
}

TEST_F(WsKeepAlive, APingWaitsForARoomAndIsSentOnce) {
    auto watching = driver.start(wait_until_lost(stream));
    transport->accept_writes(false);
    for (int i = 0; i < 4; ++i) pass(30s);
    EXPECT_EQ(pings(), 0U);
    transport->accept_writes(true);
    driver.run(write("x"));
    EXPECT_EQ(to_hex(transport->sent), "8900820178");
}

TEST_F(WsKeepAliveForeign, IsPingedButNeverLostForItsSilence) {
    auto watching = driver.start(wait_until_lost(stream));
    auto listening = listen();
    for (int i = 0; i < 20; ++i) pass(30s);
    EXPECT_EQ(pings(), 20U);
    EXPECT_FALSE(watching.done());
}

TEST_F(WsKeepAliveForeign, IsWaitedForOnlyWhileBytesAreUnderWay) {
    auto closing = driver.start(stream.close(CloseReason::clean));
    EXPECT_EQ(stream.undelivered(), 0U);
    transport->still_delivering = true;
    EXPECT_GT(stream.undelivered(), 0U);
}

}  // namespace
}  // namespace device_streams::ws
