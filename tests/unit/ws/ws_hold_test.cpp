#include "tests/unit/ws/ws_fixture.hpp"

namespace device_streams::ws {
namespace {

class WsHold : public WsFixture {
 protected:
    using WsFixture::WsFixture;
    void let_go() {
        holding.cancel();
        driver.poll();
        EXPECT_TRUE(holding.done());
    }
    test::Running<void> holding = driver.start(stream.park());
};

class WsHoldHalfClose : public WsHold {
 protected:
    WsHoldHalfClose() : WsHold({.role = Role::server, .message_limit = 65'528, .half_close = true}) {}
};

TEST_F(WsHold, PingsAreAnsweredAndTheFirstPayloadIsKept) {
    transport->push(from_client(9, "there?") + from_client(2, "first"));
    driver.poll();
    EXPECT_EQ(sent(), (std::vector<SentFrame>{{Opcode::pong, true, "there?"}}));
    transport->push(from_client(2, "second"));
    driver.poll();
    EXPECT_GT(transport->unread(), 0U) << "more than the first payload was taken";
    EXPECT_FALSE(holding.done());
    let_go();
    EXPECT_EQ(try_read(2), "[fi]");
    EXPECT_EQ(try_read(), "[rst]");
    EXPECT_EQ(try_read(), "[second]");
}

TEST_F(WsHold, ALongMessageIsReadOnWhereTheHoldEnded) {
    transport->push(from_client(2, pattern(5000)));
    driver.poll();
    let_go();
    std::string all;
    for (auto piece = try_read(); piece != "-"; piece = try_read()) all += piece.substr(1, piece.size() - 2);
    EXPECT_EQ(all, pattern(5000));
}

TEST_F(WsHold, NobodyWaitsForWhatIsKept) {
    transport->push(from_client(2, "x"));
    driver.poll();
    let_go();
    EXPECT_TRUE(driver.start(stream.wait_readable()).done());
}

TEST_F(WsHold, ACleanCloseIsAnsweredAndTold) {
    transport->push(from_client(8, "\x03\xe8"));
    EXPECT_EQ(close_reason_of(holding), CloseReason::clean);
    EXPECT_TRUE(stream.ended());
    EXPECT_EQ(to_hex(transport->sent), "880203e8");
}

TEST_F(WsHold, AnEndWithoutCloseIsALoss) {
    transport->end();
    EXPECT_EQ(close_reason_of(holding), CloseReason::lost);
    EXPECT_FALSE(stream.ended());
}

TEST_F(WsHold, GarbageIsAnsweredAndTold) {
    transport->push("\xff\xff");
    EXPECT_EQ(close_reason_of(holding), CloseReason::protocol_violation);
    EXPECT_EQ(to_hex(transport->sent), "880203ea");
}

TEST_F(WsHold, WhatWasSaidBeforeACloseIsNotLost) {
    transport->push(from_client(2, "last words") + from_client(8, "\x03\xe8"));
    driver.poll();
    EXPECT_FALSE(holding.done());
    let_go();
    EXPECT_EQ(try_read(), "[last words]");
    EXPECT_EQ(try_read(), "0");
    EXPECT_TRUE(stream.ended());
}

TEST_F(WsHold, CancelledBeforeAnythingCameItChangesNothing) {
    let_go();
    transport->push(from_client(2, "x"));
    EXPECT_EQ(try_read(), "[x]");
}

TEST_F(WsHoldHalfClose, TheEndOfADirectionIsLeftToTheReader) {
    transport->push(from_client(2, ""));
    driver.poll();
    EXPECT_FALSE(holding.done());
    let_go();
    EXPECT_EQ(try_read(), "0");
    EXPECT_FALSE(stream.ended());
}

TEST_F(WsHoldHalfClose, ACloseBehindTheEndOfADirectionIsTold) {
    transport->push(from_client(2, ""));
    driver.poll();
    transport->push(from_client(8, "\x03\xe8"));
    EXPECT_EQ(close_reason_of(holding), CloseReason::clean);
}

}  // namespace
}  // namespace device_streams::ws
