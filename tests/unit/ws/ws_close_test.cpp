#include "tests/unit/ws/ws_fixture.hpp"

namespace device_streams::ws {
namespace {

class WsClose : public WsFixture {};

TEST_F(WsClose, WaitsForThePeersCloseAndThenClosesTheTransport) {
    auto closing = driver.start(stream.close(CloseReason::clean));
    EXPECT_EQ(to_hex(transport->sent), "880203e8");
    EXPECT_FALSE(transport->closed);
    transport->push(from_client(2, "data in flight") + from_client(9, "p"));
    driver.poll();
    EXPECT_FALSE(closing.done());
    transport->push(from_client(8, "\x03\xe8"));
    driver.poll();
    EXPECT_NO_THROW(closing.get());
    EXPECT_EQ(transport->closed, CloseReason::clean);
    EXPECT_EQ(to_hex(transport->sent), "880203e8");
}

TEST_F(WsClose, TellsALostLegInAzuresWords) {
    auto closing = driver.start(stream.close(CloseReason::lost));
    EXPECT_EQ(to_hex(transport->sent), "881103f3575320646973636f6e6e6563746564");
    transport->end();
    driver.poll();
    EXPECT_NO_THROW(closing.get());
    EXPECT_EQ(transport->closed, CloseReason::clean);
}

TEST_F(WsClose, AfterThePeersCloseOnlyTheTransportIsClosed) {
    transport->push(from_client(8, "\x03\xe8"));
    EXPECT_EQ(try_read(), "0");
    driver.run(stream.close(CloseReason::clean));
    EXPECT_EQ(to_hex(transport->sent), "880203e8");
    EXPECT_EQ(transport->closed, CloseReason::clean);
}

TEST_F(WsClose, AnAnswerThatCouldNotBeSentIsSentFirst) {
    transport->accept_writes(false);
    transport->push(from_client(9, "p") + from_client(8, "\x03\xe8"));
    EXPECT_EQ(try_read(), "0");
    auto closing = driver.start(stream.close(CloseReason::clean));
    EXPECT_FALSE(closing.done());
    transport->accept_writes(true);
    driver.poll();
    EXPECT_NO_THROW(closing.get());
    EXPECT_EQ(to_hex(transport->sent), "880203e8");
}

TEST_F(WsClose, BothSidesMayCloseAtTheSameMoment) {
    transport->push(from_client(8, "\x03\xe8"));
    driver.run(stream.close(CloseReason::clean));
    EXPECT_EQ(to_hex(transport->sent), "880203e8");
    EXPECT_EQ(transport->closed, CloseReason::clean);
}

TEST_F(WsClose, DropsAFloodUntilTheClose) {
    for (int i = 0; i < 1000; ++i) transport->push(from_client(2, pattern(1000)));
    transport->push(from_client(8, ""));
    driver.run(stream.close(CloseReason::clean));
    EXPECT_EQ(transport->closed, CloseReason::clean);
}

TEST_F(WsClose, AnEndOfTheTransportEndsTheWait) {
    transport->end();
    driver.run(stream.close(CloseReason::stopping));
    EXPECT_EQ(to_hex(transport->sent), "880203e9");
    EXPECT_EQ(transport->closed, CloseReason::clean);
}

class WsCloseOfALink : public WsFixture {
 protected:
    WsCloseOfALink() : WsFixture({.role = Role::server, .stopping_code = 1012}) {}
};

TEST_F(WsCloseOfALink, StoppingAsksThePeerToComeBack) {
    stream.abort(CloseReason::stopping);
    EXPECT_EQ(to_hex(transport->sent), "880203f4");
    EXPECT_EQ(transport->aborted, CloseReason::stopping);
}

TEST_F(WsClose, ALegThatIsGoneIsAborted) {
    transport->fail(CloseReason::reset);
    driver.run(stream.close(CloseReason::stopping));
    EXPECT_EQ(transport->aborted, CloseReason::stopping);
}

TEST_F(WsClose, AViolationDuringTheWaitEndsIt) {
    transport->push("garbage");
    driver.run(stream.close(CloseReason::clean));
    EXPECT_EQ(transport->closed, CloseReason::clean);
    EXPECT_EQ(to_hex(transport->sent), "880203e8");
}

TEST_F(WsClose, CanBeCancelled) {
    auto closing = driver.start(stream.close(CloseReason::clean));
    closing.cancel();
    driver.poll();
    EXPECT_THROW(closing.get(), std::system_error);
}

TEST_F(WsClose, OfAReadFinishedStreamDropsWhatStillComes) {
    std::string empties;
    for (int i = 0; i < 5000; ++i) empties += from_client(2, "");
    transport->push(empties);
    EXPECT_EQ(try_read(), "0");
    auto closing = driver.start(stream.close(CloseReason::clean));
    transport->push(empties + from_client(8, "\x03\xe8"));
    driver.poll();
    EXPECT_NO_THROW(closing.get());
}

TEST_F(WsClose, AbortTellsTheReasonWithoutWaiting) {
    stream.abort(CloseReason::refused);
    EXPECT_EQ(to_hex(transport->sent), "880203f0");
    EXPECT_EQ(transport->aborted, CloseReason::refused);
}

TEST_F(WsClose, AbortOfABlockedStreamSaysNothing) {
    transport->accept_writes(false);
    auto writing = driver.start(write("x"));
    stream.abort(CloseReason::reset);
    EXPECT_EQ(transport->sent, "");
    EXPECT_EQ(transport->aborted, CloseReason::reset);
    writing.cancel();
    driver.poll();
}

TEST_F(WsClose, AbortAfterACloseSaysNothingMore) {
    transport->push(from_client(8, "\x03\xe8"));
    EXPECT_EQ(try_read(), "0");
    stream.abort(CloseReason::cancelled);
    EXPECT_EQ(to_hex(transport->sent), "880203e8");
}

TEST_F(WsClose, AbortOfABrokenTransportIsQuiet) {
    transport->fail(CloseReason::lost);
    stream.abort(CloseReason::lost);
    EXPECT_EQ(transport->aborted, CloseReason::lost);
}

class WsExtendedClose : public WsFixture {
 protected:
    WsExtendedClose() : WsFixture({.role = Role::client, .message_limit = 65'528, .half_close = true}) {}
};

TEST_F(WsExtendedClose, TellsAReset) {
    stream.abort(CloseReason::reset);
    EXPECT_EQ(sent(), (std::vector<SentFrame>{{Opcode::close, true, "\x0f\xa1"}}));
}

}  // namespace
}  // namespace device_streams::ws
