#include "common/mqtt/connection.hpp"

#include "tests/support/coroutine.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/memory_stream.hpp"

#include <asio/post.hpp>
#include <gtest/gtest.h>

#include <stdexcept>

namespace device_streams::mqtt {
namespace {

using test::poll;
using test::Running;

constexpr std::size_t packet_limit = 64 * 1024;

Publish message(std::string topic, std::size_t size = 0) {
    Publish packet;
    packet.topic = std::move(topic);
    packet.payload.resize(size);
    return packet;
}

/// Notes what it is given.
struct Taker : Receiver {
    void heard() override { ++times_heard; }
    bool take(const Packet& packet) override {
        topics.push_back(std::get<Publish>(packet).topic);
        if (topics.back() == "throw") throw std::runtime_error("not wanted");
        return topics.back() != "last";
    }
    void ended() override { end_seen = true; }

    std::vector<std::string> topics;
    int times_heard = 0;
    bool end_seen = false;
};

class MqttConnectionTest : public testing::Test {
 protected:
    void peer_sends(const Packet& packet) { ASSERT_TRUE(peer->try_write(encode(packet))); }
    void peer_ends() {
        peer->out().finished = true;
        peer->out().notify();
    }
    /// What has come to the peer.
    std::vector<std::string> peer_reads() {
        std::array<std::byte, 4096> room;
        while (const auto size = peer->try_read(room)) decoder.feed(std::span(room).first(*size));
        std::vector<std::string> topics;
        while (const auto packet = decoder.next()) topics.push_back(std::get<Publish>(*packet).topic);
        poll(io);
        return topics;
    }
    /// The peer does not read; what is put stays here.
    void hold() { peer->in().capacity = 0; }
    void let_go() {
        peer->in().capacity = 1024 * 1024;
        peer->in().notify();
        poll(io);
    }

    using Topics = std::vector<std::string>;
    asio::io_context io{1};
    std::pair<std::unique_ptr<test::MemoryStream>, std::unique_ptr<test::MemoryStream>> streams =
        test::make_memory_streams(io.get_executor());
    std::unique_ptr<test::MemoryStream>& peer = streams.second;
    Decoder decoder;
    Taker taker;
    Connection connection{*streams.first, io.get_executor(), packet_limit};
};

TEST_F(MqttConnectionTest, GivesEachPacketOnceItIsWhole) {
    Running<void> reading(io, connection.read(taker));
    const auto bytes = encode(message("a"));
    for (const auto byte : bytes) {
        EXPECT_TRUE(taker.topics.empty());
        peer->try_write(std::span(&byte, 1));
        poll(io);
    }
    EXPECT_EQ(taker.topics, Topics{"a"});
    EXPECT_EQ(taker.times_heard, static_cast<int>(bytes.size())) << "a part of a packet is a sign of life";
    peer_sends(message("b"));
    peer_sends(message("c"));
    poll(io);
    EXPECT_EQ(taker.topics, (Topics{"a", "b", "c"}));
    EXPECT_FALSE(reading.done());
    reading.cancel();
    poll(io);
}

TEST_F(MqttConnectionTest, OthersHaveTheirTurnBetweenFewPackets) {
    for (int number = 0; number < 100; ++number) peer_sends(message("a"));
    Running<void> reading(io, connection.read(taker));
    std::size_t most = 0;
    for (std::size_t before = 0; io.poll_one() > 0; before = taker.topics.size())
        most = std::max(most, taker.topics.size() - before);
    EXPECT_EQ(taker.topics.size(), 100U);
    EXPECT_EQ(most, 16U);
    reading.cancel();
    poll(io);
}

TEST_F(MqttConnectionTest, TakesNoMoreThanTheRate) {
    test::ManualClock clock;
    connection.limit({.per_second = 10, .at_once = 20}, clock);
    Running<void> reading(io, connection.read(taker));
    for (int number = 0; number < 30; ++number) peer_sends(message("a"));
    peer_sends(message("last"));
    poll(io);
    EXPECT_EQ(taker.topics.size(), 20U);
    clock.advance(std::chrono::milliseconds(99));
    poll(io);
    EXPECT_EQ(taker.topics.size(), 20U);
    clock.advance(std::chrono::milliseconds(1));
    poll(io);
    EXPECT_EQ(taker.topics.size(), 21U);
    EXPECT_TRUE(connection.take_in(taker, 1024)) << "nor does who has the last word";
    EXPECT_EQ(taker.topics.size(), 21U);
    clock.advance(std::chrono::seconds(1));
    poll(io);
    EXPECT_EQ(taker.topics.size(), 31U);
    EXPECT_TRUE(reading.done()) << "the last one was there";
}

TEST_F(MqttConnectionTest, TellsThatThePeerHasEnded) {
    Running<void> reading(io, connection.read(taker));
    peer_sends(message("a"));
    peer_ends();
    poll(io);
    ASSERT_TRUE(reading.done());
    reading.get();
    EXPECT_TRUE(taker.end_seen);
    EXPECT_EQ(taker.topics, Topics{"a"});
}

TEST_F(MqttConnectionTest, StopsWithTheLastPacketThatIsWanted) {
    for (const auto* topic : {"a", "last", "b"}) peer_sends(message(topic));
    peer_ends();
    Running<void> reading(io, connection.read(taker));
    poll(io);
    ASSERT_TRUE(reading.done());
    reading.get();
    EXPECT_EQ(taker.topics, (Topics{"a", "last"}));
    EXPECT_FALSE(taker.end_seen);
}

TEST_F(MqttConnectionTest, WhatTheReceiverThrowsLeavesTheReading) {
    peer_sends(message("throw"));
    Running<void> reading(io, connection.read(taker));
    poll(io);
    ASSERT_TRUE(reading.done());
    EXPECT_THROW(reading.get(), std::runtime_error);
}

TEST_F(MqttConnectionTest, LostStreamLeavesTheReadingBehindWhatCameBefore) {
    peer_sends(message("a"));
    peer->abort(CloseReason::lost);
    Running<void> reading(io, connection.read(taker));
    poll(io);
    ASSERT_TRUE(reading.done());
    EXPECT_THROW(reading.get(), StreamError);
    EXPECT_EQ(taker.topics, Topics{"a"});
    EXPECT_FALSE(taker.end_seen);
}

TEST_F(MqttConnectionTest, PacketLimitCanBeRaisedAfterTheLogin) {
    connection.set_packet_limit(100);
    peer_sends(message("a", 90));
    connection.set_packet_limit(200);
    peer_sends(message("b", 190));
    Running<void> reading(io, connection.read(taker));
    poll(io);
    EXPECT_FALSE(reading.done());
    EXPECT_EQ(taker.topics, (Topics{"a", "b"}));
    peer_sends(message("c", 200));
    poll(io);
    ASSERT_TRUE(reading.done());
    EXPECT_THROW(reading.get(), ProtocolError);
}

TEST_F(MqttConnectionTest, PeerThatFloodsLeavesOthersTheirTurn) {
    peer->out().capacity = 1024 * 1024;
    constexpr std::size_t count = 300;
    for (std::size_t i = 0; i < count; ++i) peer_sends(message("a", 1000));
    std::size_t taken_before = count;
    Running<void> reading(io, connection.read(taker));
    asio::post(io, [&] { taken_before = taker.topics.size(); });
    poll(io);
    EXPECT_GT(taken_before, 0u);
    EXPECT_LT(taken_before, count / 2);
    EXPECT_EQ(taker.topics.size(), count);
    reading.cancel();
    poll(io);
}

// The login.

TEST_F(MqttConnectionTest, TakesOnePacketAndLeavesTheRestToTheReading) {
    Running<std::optional<Packet>> first(io, connection.next());
    poll(io);
    EXPECT_FALSE(first.done());
    peer_sends(message("a"));
    peer_sends(message("b"));
    poll(io);
    ASSERT_TRUE(first.done());
    EXPECT_EQ(std::get<Publish>(first.get().value()).topic, "a");
    EXPECT_TRUE(connection.take_in(taker, 1));
    EXPECT_EQ(taker.topics, Topics{"b"});
}

TEST_F(MqttConnectionTest, HasNoNextPacketWhenThePeerHasEnded) {
    peer_ends();
    Running<std::optional<Packet>> first(io, connection.next());
    poll(io);
    ASSERT_TRUE(first.done());
    EXPECT_FALSE(first.get());
}

// Without waiting.

TEST_F(MqttConnectionTest, TakesInWhatIsThereAndNoMoreThanIsAllowed) {
    EXPECT_TRUE(connection.take_in(taker, 1024));
    EXPECT_EQ(taker.times_heard, 0);
    peer->out().capacity = 1024 * 1024;
    for (int i = 0; i < 100; ++i) peer_sends(message("a", 1000));
    EXPECT_TRUE(connection.take_in(taker, 1024));
    EXPECT_GT(taker.topics.size(), 0u);
    EXPECT_LT(taker.topics.size(), 50u);
    EXPECT_TRUE(connection.take_in(taker, 1024 * 1024));
    EXPECT_EQ(taker.topics.size(), 100u);
    peer_ends();
    EXPECT_FALSE(connection.take_in(taker, 1024));
    EXPECT_TRUE(taker.end_seen);
}

// Writing.

TEST_F(MqttConnectionTest, WritesWhatIsPutBeforeAndAfterItBegins) {
    EXPECT_TRUE(connection.put(message("a")));
    EXPECT_TRUE(connection.put(message("b")));
    Running<void> writing(io, connection.write());
    poll(io);
    EXPECT_EQ(peer_reads(), (Topics{"a", "b"}));
    EXPECT_TRUE(connection.put(message("c")));
    poll(io);
    EXPECT_EQ(peer_reads(), Topics{"c"});
    EXPECT_FALSE(writing.done());
    writing.cancel();
    poll(io);
    EXPECT_TRUE(writing.done());
}

TEST_F(MqttConnectionTest, ShortPacketIsWrittenAtOnceWhereThatNeedsNoWaiting) {
    connection.put(message("a"));
    EXPECT_FALSE(connection.needs_writer());
    EXPECT_EQ(peer_reads(), Topics{"a"});
    connection.put(message("b", 1000));
    EXPECT_TRUE(connection.needs_writer()) << "it is long";
    connection.put(message("c"));
    EXPECT_EQ(peer_reads(), Topics{}) << "what follows stays behind it";
    test::run(io, connection.flush());
    EXPECT_EQ(peer_reads(), (Topics{"b", "c"}));
    hold();
    connection.put(message("d"));
    EXPECT_TRUE(connection.needs_writer()) << "the peer does not read";
}

TEST_F(MqttConnectionTest, ReadingEndsWhenSomethingWaitsThatNobodyWrites) {
    hold();
    connection.put(message("a"));
    Running<void> reading(io, connection.read(taker));
    poll(io);
    EXPECT_TRUE(reading.done());
    Running<void> writing(io, connection.flush());
    Running<void> beside(io, connection.read(taker));
    poll(io);
    EXPECT_FALSE(connection.needs_writer());
    EXPECT_FALSE(beside.done());
    let_go();
    EXPECT_TRUE(writing.done());
    beside.cancel();
    poll(io);
}

TEST_F(MqttConnectionTest, FlushReturnsOnceTheStreamHasTakenAll) {
    hold();
    connection.put(message("a"));
    connection.put(message("b"));
    Running<void> flushing(io, connection.flush());
    poll(io);
    EXPECT_FALSE(flushing.done());
    let_go();
    EXPECT_TRUE(flushing.done());
    EXPECT_EQ(peer_reads(), (Topics{"a", "b"}));
}

TEST_F(MqttConnectionTest, KeepsSoMuchForAPeerThatDoesNotReadAndNoMore) {
    hold();
    Running<void> writing(io, connection.write());
    const auto packet = message("a", 1000);
    const auto fits = Connection::outbox_limit / encode(packet).size();
    for (std::size_t i = 0; i < fits; ++i) {
        ASSERT_TRUE(connection.put(packet)) << i;
        poll(io);  // the first one is under way, and counts
    }
    EXPECT_FALSE(connection.put(packet));
    let_go();
    EXPECT_EQ(peer_reads().size(), fits);
    EXPECT_TRUE(connection.put(packet)) << "there is room again";
    writing.cancel();
    poll(io);
}

TEST_F(MqttConnectionTest, LostStreamLeavesTheWriting) {
    Running<void> writing(io, connection.write());
    poll(io);
    streams.first->abort(CloseReason::lost);
    connection.put(message("a"));
    poll(io);
    ASSERT_TRUE(writing.done());
    EXPECT_THROW(writing.get(), StreamError);
}

}  // namespace
}  // namespace device_streams::mqtt
