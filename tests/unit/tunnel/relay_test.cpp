#include "common/tunnel/relay.hpp"

#include "tests/support/coroutine.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/memory_stream.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

using test::bytes_of;
using test::make_memory_streams;
using test::ManualClock;
using test::MemoryStream;
using test::poll;
using test::Running;
using test::text_of;
using namespace std::chrono_literals;

constexpr RelayLimits limits{.linger = 5s, .goodbye = 2s};

// A client and a server joined by a relay: client <-> left = relay = right <-> server.
struct Relay : testing::Test {
    void start(bool half_close = true, const StreamLimits& stream_limits = {}) {
        limits_here.stream = stream_limits;
        std::tie(client, left) = make_memory_streams(io.get_executor(), half_close);
        std::tie(right, server) = make_memory_streams(io.get_executor(), half_close);
        running.emplace(io, relay(*left, *right, limits_here, clock));
        poll(io);
    }
    void send(MemoryStream& from, std::string_view text) {
        ASSERT_TRUE(from.try_write(bytes_of(text)));
        poll(io);
    }
    std::string receive(MemoryStream& at) {
        std::string all;
        std::array<std::byte, 1024> room;
        while (const auto size = at.try_read(room)) {
            if (*size == 0) return all + "|end";
            all += text_of(std::span(room).first(*size));
        }
        poll(io);
        return all;
    }
    void pass(Clock::duration time) {
        clock.advance(time);
        poll(io);
    }
    void expect_time_up(const std::string& limit) {
        ASSERT_TRUE(running->done());
        EXPECT_EQ(running->get().close_reason, CloseReason::time_up);
        EXPECT_EQ(running->get().cause, limit);
        EXPECT_EQ(left->closed_with, CloseReason::time_up);
        EXPECT_EQ(right->closed_with, CloseReason::time_up);
    }
    void finish(MemoryStream& stream) {
        Running<void> step(io, stream.finish());
        poll(io);
    }

    RelayLimits limits_here = limits;
    asio::io_context io{1};
    ManualClock clock;
    std::unique_ptr<MemoryStream> client, left, right, server;
    std::optional<Running<RelayResult>> running;
};

TEST_F(Relay, CarriesBytesBothWaysAndCountsThem) {
    start();
    send(*client, "hello");
    send(*server, "hi");
    EXPECT_EQ(receive(*server), "hello");
    EXPECT_EQ(receive(*client), "hi");
    finish(*client);
    finish(*server);
    ASSERT_TRUE(running->done());
    EXPECT_EQ(running->get().left_to_right, 5u);
    EXPECT_EQ(running->get().right_to_left, 2u);
    EXPECT_EQ(running->get().close_reason, CloseReason::clean);
}

TEST_F(Relay, HalfCloseLeavesTheOtherDirectionOpenForAsLongAsItTakes) {
    start();
    send(*client, "question");
    finish(*client);
    EXPECT_EQ(receive(*server), "question|end");
    clock.advance(24h);
    poll(io);
    EXPECT_FALSE(running->done());
    send(*server, "late answer");
    EXPECT_EQ(receive(*client), "late answer");
    finish(*server);
    EXPECT_TRUE(running->done());
}

TEST_F(Relay, WithoutHalfCloseLingersUntilTheOtherDirectionIsQuiet) {
    start(false);
    left->in().finished = true;  // the client ended its direction
    left->in().notify();
    poll(io);
    clock.advance(4s);
    poll(io);
    send(*server, "still talking");
    clock.advance(4999ms);
    poll(io);
    EXPECT_FALSE(running->done());
    EXPECT_EQ(receive(*client), "still talking");
    clock.advance(1ms);
    poll(io);
    ASSERT_TRUE(running->done());
    EXPECT_EQ(running->get().close_reason, CloseReason::clean);
    EXPECT_EQ(right->closed_with, CloseReason::clean);
}

TEST_F(Relay, LingerDoesNotCutAWriterThatWaits) {
    start(false);
    left->out().capacity = 4;
    left->in().finished = true;
    left->in().notify();
    send(*server, "more than four");
    clock.advance(1h);
    poll(io);
    EXPECT_FALSE(running->done());
}

TEST_F(Relay, WithoutAnyLingerAWriterThatWaitsIsLeftInPeace) {
    limits_here.linger = 0s;
    start(false);
    left->out().capacity = 4;
    send(*server, "more than four");
    left->in().finished = true;
    left->in().notify();
    poll(io);
    EXPECT_EQ(clock.sleepers(), 1u) << "it looks again after a while, not all the time";
    pass(1h);
    EXPECT_FALSE(running->done());
    left->out().capacity = 64 * 1024;
    left->out().notify();
    poll(io);
    EXPECT_EQ(receive(*client), "more than four");
    pass(1s);
    EXPECT_TRUE(running->done());
}

TEST_F(Relay, AnEndedStreamEndsTheRelayAtOnce) {
    start(false);
    send(*client, "last words");
    left->whole_stream_ended = true;
    left->in().finished = true;
    left->in().notify();
    poll(io);
    ASSERT_TRUE(running->done());
    EXPECT_TRUE(running->get().left_caused);
    EXPECT_EQ(right->closed_with, CloseReason::clean);
    EXPECT_EQ(receive(*server), "last words|end");
}

TEST_F(Relay, AResetReachesTheOtherLegAsAReset) {
    start();
    client->abort(CloseReason::reset);
    poll(io);
    ASSERT_TRUE(running->done());
    EXPECT_EQ(running->get().close_reason, CloseReason::reset);
    EXPECT_TRUE(running->get().left_caused);
    EXPECT_EQ(right->closed_with, CloseReason::reset);
}

TEST_F(Relay, AResetIsNoticedWhileThePumpIsBlockedWriting) {
    start();
    right->out().capacity = 4;
    send(*client, "more than four");
    client->abort(CloseReason::reset);
    poll(io);
    ASSERT_TRUE(running->done());
    EXPECT_TRUE(running->get().left_caused);
}

TEST_F(Relay, ASlowReaderStopsTheWriterAfterOneChunk) {
    start();
    right->out().capacity = 10;
    const std::string plenty(200'000, 'x');
    left->in().capacity = plenty.size();
    Running<void> writer(io, write_text(*client, plenty));
    poll(io);
    EXPECT_GE(left->in().bytes.size(), plenty.size() - 65'536);
    std::size_t received = 0;
    for (int i = 0; i < 100'000 && received < plenty.size(); ++i) received += receive(*server).size();
    EXPECT_EQ(received, plenty.size());
}

TEST_F(Relay, ABlockedDirectionDoesNotStopTheOther) {
    start();
    right->out().capacity = 4;
    send(*client, "blocked upload");
    for (int i = 0; i < 10; ++i) {
        send(*server, "download");
        EXPECT_EQ(receive(*client), "download");
    }
}

TEST_F(Relay, CancellationTellsBothLegs) {
    start();
    running->cancel();
    poll(io);
    ASSERT_TRUE(running->done());
    EXPECT_EQ(running->get().close_reason, CloseReason::cancelled);
    EXPECT_EQ(left->closed_with, CloseReason::stopping);
    EXPECT_EQ(right->closed_with, CloseReason::stopping);
}

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

// A service that echoes reads on only when it is read from: what cannot be passed on is taken all the same.
TEST_F(Relay, AHubTakesWhatIsForALostLegSoThatTheRestGetsThrough) {
    limits_here.left_is_local = false;
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
    limits_here.left_is_local = false;
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

TEST_F(Relay, KnowsWhetherTheLeftLegHadEndedFirst) {
    start();
    finish(*client);
    right->give_up();
    poll(io);
    ASSERT_TRUE(running->done());
    EXPECT_EQ(running->get().close_reason, CloseReason::lost);
    EXPECT_TRUE(running->get().left_ended_first);
}

TEST_F(Relay, ALegThatIsLostBehindItsEndEndsTheStream) {
    start();
    finish(*server);
    EXPECT_FALSE(running->done());
    right->give_up();
    poll(io);
    ASSERT_TRUE(running->done());
    EXPECT_EQ(running->get().close_reason, CloseReason::lost);
    EXPECT_FALSE(running->get().left_ended_first);
}

// The first to end cancels the others: what one of them meets on its way out is no failure of the stream.
struct FailsWhenCancelled final : MemoryStream {
    explicit FailsWhenCancelled(MemoryStream& from) : MemoryStream(from) {}
    asio::awaitable<void> drain_until_closed() override {
        try {
            co_await MemoryStream::drain_until_closed();
        } catch (const std::system_error&) {
            throw StreamError(CloseReason::reset, "broke during teardown");
        }
    }
};

TEST_F(Relay, WhatBreaksBehindTheEndIsNoFailure) {
    std::tie(client, left) = make_memory_streams(io.get_executor());
    std::tie(right, server) = make_memory_streams(io.get_executor());
    FailsWhenCancelled breaking(*right);
    running.emplace(io, relay(*left, breaking, limits, clock));
    poll(io);
    finish(*client);
    finish(*server);
    ASSERT_TRUE(running->done());
    EXPECT_EQ(running->get().close_reason, CloseReason::clean);
    EXPECT_EQ(running->get().cause, "");
}

TEST_F(Relay, IdleStreamsSleepWithoutTimers) {
    start();
    EXPECT_EQ(clock.sleepers(), 0u);
}

}  // namespace
}  // namespace device_streams
