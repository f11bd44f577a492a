#include "tests/unit/ws/ws_fixture.hpp"

namespace device_streams::ws {
namespace {

class WsWrite : public WsFixture {};

class WsClientWrite : public WsFixture {
 protected:
    WsClientWrite() : WsFixture({.role = Role::client, .message_limit = 1000, .half_close = false}) {}
};

TEST_F(WsWrite, AServerSendsTheVector) {
    driver.run(write("SSH-2.0-x\r\n"));
    EXPECT_EQ(to_hex(transport->sent), "820b5353482d322e302d780d0a");
}

TEST_F(WsWrite, NothingToWriteSendsNoEmptyMessage) {
    driver.run(write(""));
    EXPECT_EQ(transport->sent, "");
}

TEST_F(WsWrite, HeaderAndPayloadGoInOneWrite) {
    driver.run(write(pattern(20'000)));
    EXPECT_EQ(transport->write_sizes, std::vector<std::size_t>{20'004});
}

TEST_F(WsWrite, LongWritesBecomeMessagesOfTheLimit) {
    driver.run(write(pattern(100'000)));
    EXPECT_EQ(transport->write_sizes, (std::vector<std::size_t>{32'772, 32'772, 32'772, 1'700}));
    EXPECT_EQ(sent_payload(), pattern(100'000));
}

TEST_F(WsClientWrite, EverySizeAndHeadroomArrivesWhole) {
    for (const std::size_t size : {1, 125, 126, 255, 256, 257, 999, 1000, 1001, 1999, 2000, 2001, 5000}) {
        for (std::size_t headroom = 0; headroom <= 17; ++headroom) {
            transport->sent.clear();
            driver.run(write(pattern(size), headroom));
            ASSERT_EQ(sent_payload(), pattern(size)) << size << " with headroom " << headroom;
            ASSERT_EQ(sent().size(), (size + 999) / 1000);
        }
    }
}

TEST_F(WsClientWrite, EveryFrameHasAMaskOfItsOwn) {
    driver.run(write(std::string(2000, 'a')));
    EXPECT_NE(transport->sent.substr(4, 4), transport->sent.substr(1008 + 4, 4));
}

TEST_F(WsWrite, ShortMessageIsTakenAtOnce) {
    EXPECT_TRUE(stream.try_write(bytes_of("SSH-2.0-x\r\n")));
    EXPECT_EQ(to_hex(transport->sent), "820b5353482d322e302d780d0a");
    EXPECT_FALSE(stream.try_write(bytes_of(pattern(243)))) << "longer than the transport may be given";
    EXPECT_TRUE(stream.try_write(bytes_of(pattern(242))));
    EXPECT_EQ(sent().size(), 2u);
}

TEST_F(WsClientWrite, ShortMessageIsMasked) {
    EXPECT_TRUE(stream.try_write(bytes_of("0123456789")));
    EXPECT_EQ(sent(), (std::vector<SentFrame>{{Opcode::binary, true, "0123456789"}}));
}

TEST_F(WsWrite, NoMessageIsTakenAtOnceThatWouldPassOthersOrFollowAClose) {
    transport->accept_writes(false);
    EXPECT_FALSE(stream.try_write(bytes_of("a"))) << "the transport is full";
    auto writing = driver.start(write("blocked"));
    EXPECT_FALSE(stream.try_write(bytes_of("b"))) << "another one is under way";
    transport->accept_writes(true);
    driver.poll();
    EXPECT_EQ(sent_payload(), "blocked");
    transport->push(from_client(8, ""));
    EXPECT_EQ(try_read(), "0");
    EXPECT_FALSE(stream.try_write(bytes_of("c"))) << "the WebSocket is closed";
    EXPECT_EQ(sent_payload(), "blocked");
}

TEST_F(WsWrite, ReadingGoesOnWhileAWriteIsBlocked) {
    transport->accept_writes(false);
    auto writing = driver.start(write("blocked"));
    transport->push(from_client(2, "a") + from_client(9, "p") + from_client(2, "b"));
    EXPECT_EQ(try_read(), "[ab]");
    EXPECT_FALSE(writing.done());
    transport->accept_writes(true);
    driver.poll();
    EXPECT_NO_THROW(writing.get());
    EXPECT_EQ(sent(), (std::vector<SentFrame>{{Opcode::binary, true, "blocked"}, {Opcode::pong, true, "p"}}));
}

TEST_F(WsWrite, AConnectionThatIsResetMeanwhileIsALostLeg) {
    transport->accept_writes(false);
    auto writing = driver.start(write("blocked"));
    transport->fail(CloseReason::reset);
    driver.poll();
    try {
        writing.get();
        ADD_FAILURE();
    } catch (const StreamError& failure) {
        EXPECT_EQ(failure.close_reason(), CloseReason::lost) << "only a Close tells of a reset";
    }
}

TEST_F(WsWrite, WritingGoesOnWhileAReaderWaits) {
    auto waiting = driver.start(stream.wait_readable());
    driver.run(write("x"));
    EXPECT_EQ(sent_payload(), "x");
    EXPECT_FALSE(waiting.done());
    waiting.cancel();
    driver.poll();
}

TEST_F(WsWrite, AControlFrameGoesBetweenTwoDataFrames) {
    transport->accept_writes(false);
    auto writing = driver.start(write(pattern(2 * 32 * 1024)));
    transport->push(from_client(9, "p"));
    try_read();
    transport->accept_writes(true);
    driver.poll();
    const auto frames = sent();
    ASSERT_EQ(frames.size(), 3U);
    EXPECT_EQ(frames[1].opcode, Opcode::pong);
    EXPECT_EQ(sent_payload(), pattern(2 * 32 * 1024));
}

TEST_F(WsWrite, NoControlFrameCutsAMessageWithoutHeadroom) {
    transport->accept_writes(false);
    auto writing = driver.start(write(pattern(5000), 0));
    transport->push(from_client(9, "p"));
    try_read();
    transport->accept_writes(true);
    driver.poll();
    EXPECT_EQ(sent().size(), 2U);
    EXPECT_EQ(sent_payload(), pattern(5000));
}

TEST_F(WsWrite, AfterTheCloseAnswerNoDataIsSent) {
    transport->push(from_client(8, "\x03\xe8"));
    EXPECT_EQ(try_read(), "0");
    driver.run(write("dropped"));
    EXPECT_EQ(to_hex(transport->sent), "880203e8");
}

TEST_F(WsWrite, ACloseInTheMiddleOfAWriteEndsItBehindTheFrame) {
    transport->accept_writes(false);
    auto writing = driver.start(write(pattern(100'000)));
    transport->push(from_client(8, "\x03\xe8"));
    EXPECT_EQ(try_read(), "0");
    transport->accept_writes(true);
    driver.poll();
    EXPECT_NO_THROW(writing.get());
    const auto frames = sent();
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(frames[1].opcode, Opcode::close);
}

TEST_F(WsWrite, AfterACloseThatIsNotCleanWritingFails) {
    transport->push(from_client(8, "\x03\xe9"));
    EXPECT_EQ(close_reason_of_read(), CloseReason::stopping);
    EXPECT_THROW(driver.run(write("x")), StreamError);
    EXPECT_THROW(driver.run(stream.finish()), StreamError);
}

TEST_F(WsWrite, FinishOfAPlainStreamSendsNothing) {
    driver.run(stream.finish());
    EXPECT_EQ(transport->sent, "");
    EXPECT_FALSE(stream.half_close());
}

TEST_F(WsWrite, FinishOffersTheSlotAgain) {
    transport->accept_writes(false);
    transport->push(from_client(9, "p"));
    try_read();
    transport->accept_writes(true);
    driver.run(stream.finish());
    EXPECT_EQ(sent().size(), 1U);
}

TEST_F(WsWrite, ACancelledWriteLeavesRoomForAGoodbye) {
    transport->accept_writes(false);
    auto writing = driver.start(write("x"));
    writing.cancel();
    driver.poll();
    EXPECT_THROW(writing.get(), std::system_error);
    transport->accept_writes(true);
    auto closing = driver.start(stream.close(CloseReason::stopping));
    EXPECT_EQ(to_hex(transport->sent), "880203e9");
    transport->push(from_client(8, "\x03\xe9"));
    driver.poll();
    EXPECT_NO_THROW(closing.get());
}

TEST_F(WsWrite, NothingFollowsAMessageThatWasCutByCancelling) {
    auto room = bytes_of(pattern(5000));
    transport->hold_after(1);
    const OutBytes out{room, 0};
    auto writing = driver.start(stream.write_all(out));
    writing.cancel();
    driver.poll();
    transport->accept_writes(true);
    const auto sent_before = transport->sent;
    driver.run(stream.close(CloseReason::stopping));
    EXPECT_EQ(transport->sent, sent_before);
    EXPECT_EQ(transport->aborted, CloseReason::stopping);
}

class WsHalfCloseWrite : public WsFixture {
 protected:
    WsHalfCloseWrite() : WsFixture({.role = Role::client, .message_limit = 65'528, .half_close = true}) {}
};

TEST_F(WsHalfCloseWrite, FinishSendsOneEmptyMessage) {
    driver.run(write("x"));
    driver.run(stream.finish());
    driver.run(stream.finish());
    EXPECT_EQ(sent(), (std::vector<SentFrame>{{Opcode::binary, true, "x"}, {Opcode::binary, true, ""}}));
}

TEST_F(WsHalfCloseWrite, AWholeChunkFillsFourTlsRecords) {
    driver.run(write(pattern(65'528)));
    EXPECT_EQ(transport->write_sizes, std::vector<std::size_t>{65'536});
}

TEST_F(WsHalfCloseWrite, ReadingGoesOnAfterFinish) {
    driver.run(stream.finish());
    transport->push(from_server(2, "late answer"));
    EXPECT_EQ(try_read(), "[late answer]");
}

}  // namespace
}  // namespace device_streams::ws
