#include "tests/unit/tunnel/relay_fixture.hpp"

namespace device_streams {
namespace {

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

// A local program that has closed both its pipes, as ssh does.
struct RelayToProgramThatLeft : Relay {
    void leave(bool half_close) {
        start_between(true, half_close);
        send(*client, "bye");
        finish(*client);
        left->peer_left = true;
        left->in().notify();
        poll(io);
    }
};

TEST_F(RelayToProgramThatLeft, EndsCleanlyOnceTheOtherSideWasSilent) {
    for (const bool half_close : {true, false}) {
        leave(half_close);
        EXPECT_FALSE(running->done());
        pass(5s);
        ASSERT_TRUE(running->done());
        EXPECT_EQ(running->get().close_reason, CloseReason::clean);
        EXPECT_TRUE(running->get().left_caused);
        EXPECT_EQ(running->get().left_to_right, 3u);
        EXPECT_EQ(right->closed_with, CloseReason::clean);
    }
}

TEST_F(RelayToProgramThatLeft, EndsCleanlyWhenTheOtherSideEnds) {
    leave(true);
    EXPECT_EQ(receive(*server), "bye|end");
    finish(*server);
    ASSERT_TRUE(running->done());
    EXPECT_EQ(running->get().close_reason, CloseReason::clean);
}

TEST_F(RelayToProgramThatLeft, IsAResetWhenTheOtherSideWasStillSending) {
    leave(true);
    left->out().broken = true;
    send(*server, "for nobody");
    ASSERT_TRUE(running->done());
    EXPECT_EQ(running->get().close_reason, CloseReason::reset);
    EXPECT_TRUE(running->get().left_caused);
    EXPECT_EQ(right->closed_with, CloseReason::reset);
}

// The leg of a foreign hub ends one direction when too many empty messages came.
struct RelayToForeignHub : Relay {
    void start_foreign() {
        start_between(true, false);
        right->in().finished = true;
        right->in().notify();
        poll(io);
    }
    void expect_given_up() {
        ASSERT_TRUE(running->done());
        EXPECT_EQ(running->get().close_reason, CloseReason::protocol_violation);
        EXPECT_FALSE(running->get().left_caused);
        EXPECT_EQ(left->closed_with, CloseReason::protocol_violation);
        EXPECT_EQ(right->closed_with, CloseReason::protocol_violation);
    }
};

TEST_F(RelayToForeignHub, EndByEmptyMessagesLingersAndIsNoCleanEnd) {
    start_foreign();
    pass(4s);
    send(*client, "still talking");
    EXPECT_EQ(receive(*server), "still talking");
    pass(4999ms);
    EXPECT_FALSE(left->out().finished) << "no end of file";
    EXPECT_FALSE(running->done());
    pass(1ms);
    expect_given_up();
}

TEST_F(RelayToForeignHub, EndByEmptyMessagesIsNoCleanEndBehindTheProgramsOwnEither) {
    start_between(true, false);
    finish(*client);
    right->in().finished = true;
    right->in().notify();
    poll(io);
    expect_given_up();
}

TEST_F(RelayToForeignHub, InAHubEmptyMessagesEndAPlainStream) {
    limits.left_is_local = false;
    start_foreign();
    pass(5s);
    ASSERT_TRUE(running->done());
    EXPECT_EQ(running->get().close_reason, CloseReason::clean);
}

TEST_F(Relay, WithoutAnyLingerAWriterThatWaitsIsLeftInPeace) {
    limits.linger = 0s;
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
