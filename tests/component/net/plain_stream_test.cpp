#include "common/net/plain_stream.hpp"

#include "common/async/join.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/pattern.hpp"
#include "tests/support/socket_pair.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

using test::run;

struct PlainStreamTest : testing::Test {
    PlainStreamTest() {
        auto [a, b] = test::make_socket_pair(io.get_executor());
        near = std::make_unique<PlainStream>(std::make_unique<Socket>(std::move(a)));
        far = std::make_unique<PlainStream>(std::make_unique<Socket>(std::move(b)));
    }
    static asio::awaitable<void> send(ByteStream& to, std::string text) {
        const OutBytes out{std::as_writable_bytes(std::span(text)), 0};
        co_await to.write_all(out);
    }
    static asio::awaitable<void> receive(ByteStream& from, std::size_t size, std::string& into) {
        while (into.size() < size) {
            std::array<std::byte, 4096> room;
            const auto got = co_await from.read_some(room);
            if (got == 0) break;
            into.append(reinterpret_cast<const char*>(room.data()), got);
        }
    }
    bool try_write(const std::string& text) { return near->try_write(std::as_bytes(std::span(text))); }
    /// As much as the sockets hold, by whole writes and one that is cut short; how much was sent.
    std::size_t fill_and_cancel() {
        const std::string filler(64 * 1024, 'f');
        for (std::size_t taken = 0;; taken += filler.size()) {
            test::Running<void> writing(io, send(*near, filler));
            test::poll(io);
            if (writing.done()) continue;
            writing.cancel();
            test::poll(io);
            return taken + filler.size();  // all of it or none; some of it has gone
        }
    }

    asio::io_context io{1};
    std::unique_ptr<PlainStream> near, far;
    std::string received;
};

TEST_F(PlainStreamTest, CarriesBytesBothWays) {
    run(io, both(send(*near, "hello"), receive(*far, 5, received)));
    EXPECT_EQ(received, "hello");
    received.clear();
    run(io, both(send(*far, "there"), receive(*near, 5, received)));
    EXPECT_EQ(received, "there");
}

TEST_F(PlainStreamTest, MoreThanTheSocketsHoldArrivesInOrder) {
    std::string much;
    for (int i = 0; much.size() < 3'000'000; ++i) much += std::to_string(i) + ",";
    run(io, both(send(*near, much), receive(*far, much.size(), received)));
    EXPECT_EQ(received, much);
}

TEST_F(PlainStreamTest, AWriteThatWasCutShortMayBeFollowedByAnother) {
    const auto sent = fill_and_cancel();
    run(io, both(send(*near, "last"), receive(*far, sent + 4, received)));
    EXPECT_EQ(received, std::string(sent, 'f') + "last");
}

TEST_F(PlainStreamTest, AShortMessageIsTakenWholeOrNotAtAll) {
    EXPECT_TRUE(try_write("ping"));
    run(io, receive(*far, 4, received));
    EXPECT_EQ(received, "ping");
    fill_and_cancel();
    EXPECT_FALSE(try_write("ping"));
    EXPECT_GT(near->undelivered(), 0U);
}

// A reader alone brings out what a writer left behind.
TEST_F(PlainStreamTest, WaitingToReadSendsWhatWasLeft) {
    const auto sent = fill_and_cancel();
    std::string nothing;
    test::Running<void> reading(io, receive(*near, 1, nothing));
    run(io, receive(*far, sent, received));
    EXPECT_EQ(received, std::string(sent, 'f'));
    EXPECT_FALSE(reading.done());
    run(io, send(*far, "x"));
    test::poll(io);
    EXPECT_TRUE(reading.done());
}

TEST_F(PlainStreamTest, ACleanCloseIsSeenByBothAsTheEnd) {
    std::string nothing;
    auto parting = [this]() -> asio::awaitable<void> {
        std::string none;
        co_await receive(*far, 1, none);
        co_await far->close(CloseReason::clean);
    };
    run(io, both(near->close(CloseReason::clean), parting()));
    EXPECT_TRUE(near->ended());
    EXPECT_TRUE(far->ended());
}

TEST_F(PlainStreamTest, WritingToAPeerThatLeftFails) {
    far->abort(CloseReason::lost);
    EXPECT_THROW(run(io, send(*near, std::string(1'000'000, 'x'))), StreamError);
    EXPECT_FALSE(try_write("ping"));
}

TEST_F(PlainStreamTest, KnowsNoChannelBindingAndNoCertificate) {
    EXPECT_FALSE(near->channel_binding());
    EXPECT_FALSE(near->take_client_certificate());
}

}  // namespace
}  // namespace device_streams
