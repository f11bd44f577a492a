#include "tests/unit/ws/ws_fixture.hpp"

#include <asio/steady_timer.hpp>

namespace device_streams::ws {
namespace {

class WsRead : public WsFixture {};

/// Reads to the end with a buffer of that size; then says whether the end was clean.
asio::awaitable<std::string> read_all(WsStream& stream, std::size_t room_size) {
    std::string all;
    std::vector<std::byte> room(room_size);
    for (;;) {
        const auto size = co_await stream.read_some(room);
        if (size == 0) co_return all;
        all += text_of(ReadableBytes(room).first(size));
    }
}

/// A conversation with every kind of frame, ending with a clean Close.
std::string conversation(Role from) {
    return frame(from, 2, "first") + frame(from, 2, "") + frame(from, 9, "ping") + frame(from, 1, "text", false) +
           frame(from, 10, "unasked") + frame(from, 0, pattern(130), false) + frame(from, 0, "") +
           frame(from, 2, pattern(30)) +
           frame(from, 8,
                 "\x03\xe8"
                 "bye");
}
const std::string conversation_payload = "firsttext" + pattern(130) + pattern(30);

void expect_read(Role role, const std::vector<std::string>& pieces, std::size_t early, std::size_t room_size) {
    test::Driver driver;
    auto* transport = new test::FakeTransport(driver.io);
    const auto early_bytes = early > 0 ? bytes_of(pieces[0]) : std::vector<std::byte>();
    for (std::size_t i = early; i < pieces.size(); ++i) transport->push(pieces[i]);
    WsStream stream(std::unique_ptr<Transport>(transport), {.role = role}, early_bytes);
    ASSERT_EQ(driver.run(read_all(stream, room_size)), conversation_payload);
    ASSERT_TRUE(stream.ended());
    const std::vector<SentFrame> answers{{Opcode::pong, true, "ping"}, {Opcode::close, true, "\x03\xe8"}};
    ASSERT_EQ(parse_sent(transport->sent, role), answers);
}

TEST(WsReadExhaustively, EverySplitPositionWithEveryBufferSize) {
    for (const auto role : {Role::server, Role::client}) {
        const auto text = conversation(role == Role::server ? Role::client : Role::server);
        for (std::size_t cut = 1; cut < text.size(); ++cut) {
            for (std::size_t room = 1; room <= 70; ++room) {
                ASSERT_NO_FATAL_FAILURE(expect_read(role, {text.substr(0, cut), text.substr(cut)}, 0, room))
                    << "cut at " << cut << ", buffer of " << room;
            }
        }
    }
}

TEST(WsReadExhaustively, EverySplitPositionBetweenEarlyBytesAndTransport) {
    const auto text = conversation(Role::client);
    for (std::size_t cut = 1; cut <= text.size(); ++cut) {
        for (const std::size_t room : {1, 2, 7, 64, 4096}) {
            ASSERT_NO_FATAL_FAILURE(expect_read(Role::server, {text.substr(0, cut), text.substr(cut)}, 1, room)) << cut;
        }
    }
}

TEST(WsReadExhaustively, OneByteAtATime) {
    const auto text = conversation(Role::client);
    std::vector<std::string> pieces;
    for (const char c : text) pieces.emplace_back(1, c);
    for (std::size_t room = 1; room <= 70; ++room) expect_read(Role::server, pieces, 0, room);
}

TEST_F(WsRead, JoinsSmallFramesInOneRead) {
    std::string frames, payload;
    for (int i = 0; i < 500; ++i) {
        frames += from_client(2, pattern(64));
        payload += pattern(64);
    }
    transport->push(frames);
    EXPECT_EQ(try_read(), "[" + payload + "]");
}

TEST(WsReadExhaustively, FramesThatEndNearAReadOfTheirBeginning) {
    for (std::size_t first = 16'358; first <= 16'398; ++first) {
        for (const std::size_t room : {1'000, 16'378, 16'384, 17'000, 70'000}) {
            test::Driver driver;
            auto* transport = new test::FakeTransport(driver.io);
            const auto second = pattern(10'000);
            transport->push(from_client(2, pattern(first)) + from_client(2, second) + from_client(8, "\x03\xe8"));
            WsStream stream(std::unique_ptr<Transport>(transport), {.role = Role::server});
            ASSERT_TRUE(driver.run(read_all(stream, room)) == pattern(first) + second) << first << ", room of " << room;
        }
    }
}

TEST_F(WsRead, ReadsALongFrameToWhereItIsWanted) {
    transport->push(from_client(2, pattern(60'000)));
    std::vector<std::byte> room(65'536);
    EXPECT_EQ(stream.try_read(room), 60'000);
    EXPECT_TRUE(text_of(ReadableBytes(room).first(60'000)) == pattern(60'000));
    const std::size_t with_header = 16'384, rest = 60'000 + 8 - with_header;
    EXPECT_EQ(transport->rooms[0], with_header);
    EXPECT_EQ(transport->rooms[1], rest);
}

TEST_F(WsRead, TellsOfABrokenLegBehindThePayloadBeforeIt) {
    transport->push(from_client(2, pattern(6'000)).substr(0, 5'000));
    transport->fail_once_read(CloseReason::reset);
    std::vector<std::byte> room(65'536);
    EXPECT_EQ(stream.try_read(room), 5'000 - 8);
    for (int i = 0; i < 2; ++i) {
        try {
            stream.try_read(room);
            ADD_FAILURE();
        } catch (const StreamError& failure) {
            EXPECT_EQ(failure.close_reason(), CloseReason::lost) << "only a Close tells of a reset";
        }
    }
}

TEST_F(WsRead, NothingThereIsToldAsNothing) {
    EXPECT_EQ(try_read(), "-");
    transport->push("\x82");
    EXPECT_EQ(try_read(), "-");
}

TEST_F(WsRead, AnswersTheNewestPingOnly) {
    transport->push(from_client(9, "one") + from_client(9, "two"));
    EXPECT_EQ(try_read(), "-");
    EXPECT_EQ(sent(), (std::vector<SentFrame>{{Opcode::pong, true, "two"}}));
}

TEST_F(WsRead, APingFloodToAPeerThatDoesNotReadGrowsNothing) {
    transport->accept_writes(false);
    for (int i = 0; i < 10'000; ++i) {
        transport->push(from_client(9, std::string(125, 'p')));
        try_read();
    }
    transport->push(from_client(9, "last"));
    try_read();
    transport->accept_writes(true);
    EXPECT_EQ(try_read(), "-");
    EXPECT_EQ(sent(), (std::vector<SentFrame>{{Opcode::pong, true, "last"}}));
}

asio::awaitable<bool> had_a_turn_meanwhile(WsStream& stream, const bool& other_ran) {
    co_await stream.wait_readable();
    co_return other_ran;
}

TEST_F(WsRead, AFloodOfControlFramesLeavesTurnsToOthers) {
    for (int i = 0; i < 10'000; ++i) transport->push(from_client(10, ""));
    EXPECT_EQ(try_read(), "-");
    EXPECT_GT(transport->unread(), 50'000U);
    bool other_ran = false;
    auto waiting = driver.start(had_a_turn_meanwhile(stream, other_ran), [&other_ran] { other_ran = true; });
    EXPECT_TRUE(waiting.get());
}

TEST_F(WsRead, AnswersACloseAtOnceWithItsCode) {
    transport->push(from_client(2, "last") + from_client(8,
                                                         "\x03\xe8"
                                                         "bye"));
    EXPECT_EQ(try_read(), "[last]");
    EXPECT_EQ(to_hex(transport->sent), "880203e8");
    EXPECT_FALSE(stream.ended());
    EXPECT_EQ(try_read(), "0");
    EXPECT_TRUE(stream.ended());
    EXPECT_EQ(try_read(), "0");
}

TEST_F(WsRead, AnswersACloseWithoutCodeInKind) {
    transport->push(from_client(8, ""));
    EXPECT_EQ(try_read(), "0");
    EXPECT_TRUE(stream.ended());
    EXPECT_EQ(to_hex(transport->sent), "8800");
}

TEST_F(WsRead, ACloseThatIsNotCleanIsAFailureAfterTheData) {
    transport->push(from_client(2, "data") + from_client(8, "\x0f\xa1"));
    EXPECT_EQ(try_read(), "[data]");
    EXPECT_EQ(close_reason_of_read(), CloseReason::reset);
    EXPECT_EQ(close_reason_of_read(), CloseReason::reset);
    EXPECT_FALSE(stream.ended());
    EXPECT_EQ(to_hex(transport->sent), "88020fa1");
}

TEST_F(WsRead, AnEndWithoutCloseIsALostLeg) {
    transport->push(from_client(2, "data"));
    transport->end();
    EXPECT_EQ(try_read(), "[data]");
    EXPECT_EQ(close_reason_of_read(), CloseReason::lost);
    EXPECT_FALSE(stream.ended());
}

TEST_F(WsRead, AnEndInsideAFrameIsALostLeg) {
    transport->push(from_client(2, "data").substr(0, 8));
    transport->end();
    EXPECT_EQ(try_read(), "[da]");
    EXPECT_EQ(close_reason_of_read(), CloseReason::lost);
}

TEST_F(WsRead, AConnectionThatWasResetIsALostLeg) {
    transport->fail(CloseReason::reset);
    EXPECT_EQ(close_reason_of_read(), CloseReason::lost) << "only a Close tells of a reset";
}

TEST_F(WsRead, OtherFailuresOfTheTransportPassThrough) {
    transport->fail(CloseReason::protocol_violation);
    EXPECT_EQ(close_reason_of_read(), CloseReason::protocol_violation);
}

TEST_F(WsRead, AViolationIsToldToThePeerOnce) {
    transport->push(from_client(2, "good") + from_server(2, "unmasked"));
    EXPECT_EQ(try_read(), "[good]");
    EXPECT_EQ(close_reason_of_read(), CloseReason::protocol_violation);
    EXPECT_EQ(close_reason_of_read(), CloseReason::protocol_violation);
    EXPECT_EQ(to_hex(transport->sent), "880203ea");
}

TEST_F(WsRead, GarbageIsAViolationAtItsFirstByte) {
    transport->push("G");
    EXPECT_EQ(close_reason_of_read(), CloseReason::protocol_violation);
}

TEST_F(WsRead, DataStillComesWhenTheAnswerCannotBeSent) {
    transport->push(from_client(2, "a"));
    transport->accept_writes(false);
    transport->push(from_client(9, "p") + from_client(2, "b") + from_client(8, "\x03\xe8"));
    EXPECT_EQ(try_read(), "[a]");
    EXPECT_EQ(try_read(), "[b]");
    EXPECT_EQ(try_read(), "0");
    EXPECT_EQ(transport->sent, "");
}

TEST_F(WsRead, WaitReadableOffersTheSlotAgain) {
    transport->accept_writes(false);
    transport->push(from_client(9, "p"));
    try_read();
    transport->accept_writes(true);
    auto waiting = driver.start(stream.wait_readable());
    EXPECT_EQ(sent().size(), 1U);
    EXPECT_FALSE(waiting.done());
    waiting.cancel();
    driver.poll();
}

std::string empties(int count) {
    std::string all;
    for (int i = 0; i < count; ++i) all += from_client(2, "");
    return all;
}

TEST_F(WsRead, SixtyFourEmptyMessagesEndThePlainReadingSide) {
    transport->push(from_client(2, "x") + empties(63));
    EXPECT_EQ(try_read(), "[x]");
    EXPECT_EQ(try_read(), "-");
    transport->push(empties(1));
    EXPECT_EQ(try_read(), "0");
    EXPECT_FALSE(stream.ended());
    driver.run(write("still goes"));
    EXPECT_EQ(sent_payload(), "still goes");
}

TEST_F(WsRead, WatchOfAReadingStreamWatchesTheTransportOnly) {
    auto watching = driver.start(wait_until_lost(stream));
    EXPECT_TRUE(transport->watched);
    const int reads = transport->reads;
    transport->push(from_client(2, "x"));
    driver.poll();
    EXPECT_EQ(transport->reads, reads);
    transport->fail(CloseReason::reset);
    driver.poll();
    EXPECT_THROW(watching.get(), StreamError);
}

TEST_F(WsRead, WatchForgivesAConnectionThatBreaksBehindACleanClose) {
    auto watching = driver.start(wait_until_lost(stream));
    transport->push(from_client(2, "last") + from_client(8, "\x03\xe8"));
    EXPECT_EQ(try_read(), "[last]");  // on its way to a slow reader while the connection breaks
    transport->fail(CloseReason::reset);
    driver.poll();
    EXPECT_FALSE(watching.done());
    EXPECT_EQ(try_read(), "0");
    EXPECT_TRUE(stream.ended());
}

TEST_F(WsRead, ListeningOnDropsEndlessEmptyMessagesWithPauses) {
    transport->push(empties(64));
    EXPECT_EQ(try_read(), "0");
    auto listening = driver.start(stream.drain_until_closed());
    transport->push(empties(1000));
    driver.poll();
    EXPECT_EQ(transport->unread(), 0U);
    transport->push(empties(1000));
    for (int i = 0; i < 10; ++i) driver.poll();
    EXPECT_EQ(transport->unread(), 6000U);  // not before 100 ms have gone
    EXPECT_FALSE(listening.done());
    listening.cancel();
    driver.poll();
    EXPECT_TRUE(listening.done());
}

TEST_F(WsRead, ListeningOnTakesOnlySoMuchAtATime) {
    transport->push(empties(64));
    EXPECT_EQ(try_read(), "0");
    auto listening = driver.start(stream.drain_until_closed());
    for (int i = 0; i < 1000; ++i) transport->push(empties(1000));
    driver.poll();
    EXPECT_GT(transport->unread(), 5'000'000U);
    listening.cancel();
    driver.poll();
}

TEST_F(WsRead, ListeningOnTellsACleanClose) {
    transport->push(empties(64));
    EXPECT_EQ(try_read(), "0");
    auto listening = driver.start(stream.drain_until_closed());
    transport->push(from_client(8, "\x03\xe8"));
    driver.poll();
    try {
        listening.get();
        FAIL();
    } catch (const StreamError& on_lost) {
        EXPECT_EQ(on_lost.close_reason(), CloseReason::clean);
    }
    EXPECT_TRUE(stream.ended());
    EXPECT_EQ(to_hex(transport->sent), "880203e8");
}

class WsReadHalfClose : public WsFixture {
 protected:
    WsReadHalfClose() : WsFixture({.role = Role::server, .message_limit = 65'528, .half_close = true}) {}
};

TEST_F(WsReadHalfClose, AnEmptyMessageEndsTheDirectionAfterItsData) {
    transport->push(from_client(2, "x") + from_client(2, ""));
    EXPECT_EQ(try_read(), "[x]");
    EXPECT_EQ(try_read(), "0");
    EXPECT_FALSE(stream.ended());
    EXPECT_TRUE(stream.half_close());
}

TEST_F(WsReadHalfClose, ListeningOnSeesAReset) {
    transport->push(from_client(2, ""));
    EXPECT_EQ(try_read(), "0");
    auto listening = driver.start(stream.drain_until_closed());
    transport->push(from_client(9, "still there") + from_client(8, "\x0f\xa1"));
    EXPECT_EQ(close_reason_of(listening), CloseReason::reset);
    EXPECT_EQ(sent().size(), 2U);
}

TEST_F(WsReadHalfClose, ListeningOnRefusesData) {
    transport->push(from_client(2, ""));
    EXPECT_EQ(try_read(), "0");
    auto listening = driver.start(stream.drain_until_closed());
    transport->push(from_client(2, "late"));
    EXPECT_EQ(close_reason_of(listening), CloseReason::protocol_violation);
    EXPECT_EQ(to_hex(transport->sent), "880203ea");
}

TEST_F(WsReadHalfClose, ListeningOnSeesAnEndWithoutClose) {
    transport->push(from_client(2, ""));
    EXPECT_EQ(try_read(), "0");
    auto listening = driver.start(stream.drain_until_closed());
    transport->end();
    EXPECT_EQ(close_reason_of(listening), CloseReason::lost);
}

TEST_F(WsReadHalfClose, TheEndIsToldBeforeAResetInTheSameBytes) {
    transport->push(from_client(2, "x") + from_client(2, "") + from_client(8, "\x0f\xa1"));
    EXPECT_EQ(try_read(), "[x]");
    EXPECT_EQ(try_read(), "0");
    auto listening = driver.start(stream.drain_until_closed());
    EXPECT_EQ(close_reason_of(listening), CloseReason::reset);
}

TEST_F(WsReadHalfClose, EndAndCleanCloseInTheSameBytesEndTheStream) {
    transport->push(from_client(2, "") + from_client(8, "\x03\xe8"));
    EXPECT_EQ(try_read(), "0");
    EXPECT_TRUE(stream.ended());
}

}  // namespace
}  // namespace device_streams::ws
