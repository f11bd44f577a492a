#include "common/ws/frame_reader.hpp"

#include "tests/unit/ws/frames.hpp"

#include <gtest/gtest.h>

namespace device_streams::ws {
namespace {

using namespace test_frames;
using test::bytes_of;
using test::text_of;

/// Everything a reader makes of `text` when it comes in pieces that end at `cuts`.
struct Outcome {
    std::string payload;
    std::string newest_ping;
    bool finished;
    std::optional<ClosePayload> closed;
    bool failed;
};

Outcome read(FrameReader reader, const std::string& text, const std::vector<std::size_t>& cuts = {}) {
    Outcome outcome{};
    std::size_t at = 0;
    auto ends = cuts;
    ends.push_back(text.size());
    for (const auto end : ends) {
        auto piece = bytes_of(text.substr(at, end - at));
        at = end;
        const auto size = reader.decode(piece, {});
        outcome.payload += text_of(ReadableBytes(piece).first(size));
        if (const auto ping = reader.take_ping()) outcome.newest_ping = text_of(ping->bytes());
    }
    outcome.finished = reader.finished();
    outcome.closed = reader.closed();
    outcome.failed = reader.failure().has_value();
    return outcome;
}

Outcome read_as_server(const std::string& text, bool half_close = false) {
    return read(FrameReader(Role::server, half_close), text);
}

std::string many(const std::string& text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
}

TEST(FrameReader, EverySplitGivesTheSame) {
    const std::string text = from_client(2, pattern(70)) + from_client(9, "ping") + from_client(1, "", false) +
                             from_client(0, pattern(130), false) + from_client(10, "unasked") + from_client(0, "") +
                             from_client(2, "") + from_client(2, "end") +
                             from_client(8,
                                         "\x03\xe8"
                                         "bye");
    const auto expected = pattern(70) + pattern(130) + "end";
    for (std::size_t first = 0; first <= text.size(); ++first) {
        for (const std::size_t second : {first, std::min(first + 1, text.size()), std::min(first + 9, text.size())}) {
            const auto outcome = read(FrameReader(Role::server, false), text, {first, second});
            ASSERT_EQ(outcome.payload, expected) << first;
            ASSERT_EQ(outcome.newest_ping, "ping") << first;
            ASSERT_TRUE(outcome.closed) << first;
            ASSERT_EQ(outcome.closed->code, 1000) << first;
            ASSERT_FALSE(outcome.failed) << first;
        }
    }
}

TEST(FrameReader, PayloadComesOutBeforeTheFrameIsWhole) {
    const auto text = from_server(2, pattern(100'000));
    const auto outcome = read(FrameReader(Role::client, false), text.substr(0, 50'000));
    EXPECT_EQ(outcome.payload, pattern(100'000).substr(0, 50'000 - 10));
}

TEST(FrameReader, PassesMessagesLongerThanMemory) {
    FrameReader reader(Role::client, false);
    auto header = bytes_of(test::from_hex("827f7fffffffffffffff"));
    EXPECT_EQ(reader.decode(header, {}), 0U);
    std::vector<std::byte> piece(64 * 1024);
    for (int i = 0; i < 32; ++i) EXPECT_EQ(reader.decode(piece, {}), piece.size());
}

TEST(FrameReader, ClientRefusesMaskedFramesAndServerUnmaskedOnes) {
    EXPECT_TRUE(read(FrameReader(Role::client, false), from_client(2, "x")).failed);
    EXPECT_TRUE(read(FrameReader(Role::server, false), from_server(2, "x")).failed);
    EXPECT_TRUE(read(FrameReader(Role::server, false), from_server(9, "")).failed);
}

TEST(FrameReader, RefusesFragmentsOutOfPlace) {
    EXPECT_TRUE(read_as_server(from_client(0, "x")).failed);
    EXPECT_TRUE(read_as_server(from_client(2, "x", false) + from_client(2, "y")).failed);
    EXPECT_TRUE(read_as_server(from_client(2, "x") + from_client(0, "y")).failed);
}

TEST(FrameReader, TextIsBytesUnlessOnlyBinaryMessagesMayCome) {
    for (const auto& text : {from_client(1, "text"), from_client(1, "te", false) + from_client(0, "xt")}) {
        EXPECT_EQ(read(FrameReader(Role::server, false), text).payload, "text");
        EXPECT_TRUE(read(FrameReader(Role::server, false, false), text).failed);
    }
    EXPECT_FALSE(read(FrameReader(Role::server, false, false), from_client(2, "MQTT")).failed);
}

TEST(FrameReader, DeliversWhatCameBeforeAViolation) {
    const auto outcome = read_as_server(from_client(2, "good") + "\xff" + from_client(2, "never"));
    EXPECT_EQ(outcome.payload, "good");
    EXPECT_TRUE(outcome.failed);
}

TEST(FrameReader, LooksAtNothingBehindAClose) {
    const auto outcome = read_as_server(from_client(8, "") + "\xff" + from_client(2, "never"));
    EXPECT_TRUE(outcome.closed);
    EXPECT_EQ(outcome.closed->code, std::nullopt);
    EXPECT_FALSE(outcome.failed);
    EXPECT_EQ(outcome.payload, "");
}

TEST(FrameReader, AMalformedCloseIsAViolation) {
    EXPECT_TRUE(read_as_server(from_client(8, "x")).failed);
    EXPECT_TRUE(read_as_server(from_client(8, "\x03\xed")).failed);
    EXPECT_TRUE(read_as_server(from_client(8, "\x03\xe8\xff")).failed);
}

TEST(PlainReader, EndsAfter64EmptyMessagesInARow) {
    EXPECT_FALSE(read_as_server(many(from_client(2, ""), 63)).finished);
    EXPECT_TRUE(read_as_server(many(from_client(2, ""), 64)).finished);
    EXPECT_TRUE(read_as_server(many(from_client(1, "") + from_client(9, ""), 64)).finished);
    EXPECT_TRUE(read_as_server(many(from_client(2, "", false) + from_client(0, ""), 64)).finished);
}

// 64 of them, so long apart.
bool finished_by_empties(Clock::duration apart) {
    FrameReader reader(Role::server, false);
    Clock::time_point now{};
    for (int i = 0; i < 64; ++i, now += apart) {
        auto frame = bytes_of(from_client(2, ""));
        reader.decode(frame, now);
    }
    return reader.finished();
}

TEST(PlainReader, OnlyARowWithinFiveSecondsEnds) {
    using namespace std::chrono_literals;
    EXPECT_TRUE(finished_by_empties(79ms));
    EXPECT_FALSE(finished_by_empties(80ms));
    EXPECT_FALSE(finished_by_empties(1h)) << "a keep-alive of a foreign client";
}

TEST(PlainReader, AFloodBehindAPauseEnds) {
    FrameReader reader(Role::server, false);
    auto slow = bytes_of(many(from_client(2, ""), 63)), flood = bytes_of(many(from_client(2, ""), 64));
    reader.decode(slow, {});
    reader.decode(flood, Clock::time_point() + std::chrono::seconds(6));
    EXPECT_TRUE(reader.finished());
}

TEST(PlainReader, DataBreaksTheRow) {
    const auto row = many(from_client(2, ""), 63);
    EXPECT_FALSE(read_as_server(row + from_client(2, "x") + row).finished);
    const auto fragments = from_client(2, "x", false) + from_client(0, "");
    EXPECT_FALSE(read_as_server(many(fragments, 200)).finished);
}

TEST(PlainReader, AfterTheEndStillSeesAClose) {
    const auto outcome = read_as_server(many(from_client(2, ""), 10'000) + from_client(8, ""));
    EXPECT_TRUE(outcome.finished);
    EXPECT_TRUE(outcome.closed);
    EXPECT_FALSE(outcome.failed);
}

TEST(PlainReader, DataBehindTheEndIsAViolationAndNotALossThatLooksClean) {
    const auto outcome = read_as_server(many(from_client(2, ""), 64) + from_client(2, "late") + from_client(8, ""));
    EXPECT_EQ(outcome.payload, "");
    EXPECT_TRUE(outcome.failed);
    EXPECT_FALSE(outcome.closed);
}

TEST(HalfCloseReader, AnEmptyBinaryMessageEndsTheDirection) {
    const auto outcome = read_as_server(from_client(2, "x") + from_client(2, ""), true);
    EXPECT_EQ(outcome.payload, "x");
    EXPECT_TRUE(outcome.finished);
}

TEST(HalfCloseReader, OtherEmptyFramesAreNothing) {
    EXPECT_FALSE(read_as_server(many(from_client(1, ""), 100), true).finished);
    EXPECT_FALSE(read_as_server(from_client(2, "", false) + from_client(0, ""), true).finished);
    EXPECT_FALSE(read_as_server(from_client(2, "x", false) + from_client(0, ""), true).finished);
}

TEST(HalfCloseReader, DataOrASecondEndBehindTheEndIsAViolation) {
    EXPECT_TRUE(read_as_server(from_client(2, "") + from_client(2, "x"), true).failed);
    EXPECT_TRUE(read_as_server(from_client(2, "") + from_client(1, "x"), true).failed);
    EXPECT_TRUE(read_as_server(from_client(2, "") + from_client(2, ""), true).failed);
}

TEST(HalfCloseReader, ControlFramesBehindTheEndAreRead) {
    const auto outcome = read_as_server(from_client(2, "") + from_client(9, "p") + from_client(8, "\x03\xe8"), true);
    EXPECT_EQ(outcome.newest_ping, "p");
    EXPECT_TRUE(outcome.closed);
    EXPECT_FALSE(outcome.failed);
}

}  // namespace
}  // namespace device_streams::ws
