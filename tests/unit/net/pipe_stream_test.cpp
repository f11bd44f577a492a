#include "common/net/pipe_stream.hpp"

#include "tests/support/coroutine.hpp"

#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace device_streams {
namespace {

struct Pipe {
    Pipe() {
        if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category());
    }
    ~Pipe() {
        close_reader();
        close_writer();
    }
    void close_reader() { close_end(0); }
    void close_writer() { close_end(1); }
    int give(int end) { return std::exchange(ends[end], -1); }
    void close_end(int end) {
        if (ends[end] >= 0) ::close(ends[end]);
        ends[end] = -1;
    }
    int ends[2] = {-1, -1};
};

// The stream owns the reading end of `to` and the writing end of `from`; the test plays the program at the far ends.
struct PipeStreamTest : testing::Test {
    std::string read_from_stream() {
        std::array<char, 64> text{};
        const auto size = ::read(from.ends[0], text.data(), text.size());
        return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
    }

    asio::io_context io;
    Pipe to, from;
    const std::unique_ptr<ByteStream> owner = make_pipe_stream(io.get_executor(), to.give(0), from.give(1));
    ByteStream& stream = *owner;
    std::array<std::byte, 64> room{};
};

TEST_F(PipeStreamTest, ReadsNothingWithoutWaiting) {
    EXPECT_EQ(stream.try_read(room), std::nullopt);
}

TEST_F(PipeStreamTest, ReadsWhatTheOtherProgramWrites) {
    test::Running<std::size_t> reading(io, stream.read_some(room));
    test::poll(io);
    EXPECT_FALSE(reading.done());
    ASSERT_EQ(::write(to.ends[1], "hello", 5), 5);
    test::poll(io);
    EXPECT_EQ(reading.get(), 5U);
}

TEST_F(PipeStreamTest, EndOfInputIsZero) {
    to.close_writer();
    EXPECT_EQ(stream.try_read(room), 0U);
}

TEST_F(PipeStreamTest, WritesInOrderAndWaitsForAFullPipe) {
    std::vector<std::byte> big(256 * 1024);
    for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<std::byte>(i % 251);
    const auto expected = big;
    const OutBytes out{big, 0};
    test::Running<void> writing(io, stream.write_all(out));
    test::poll(io);
    EXPECT_FALSE(writing.done());

    std::vector<std::byte> received;
    std::array<std::byte, 8192> part{};
    while (received.size() < expected.size()) {
        const auto size = ::read(from.ends[0], part.data(), part.size());
        ASSERT_GT(size, 0);
        received.insert(received.end(), part.begin(), part.begin() + size);
        test::poll(io);
    }
    EXPECT_TRUE(writing.done());
    EXPECT_EQ(received, expected);
}

TEST_F(PipeStreamTest, FinishEndsTheOutputAndLeavesTheInput) {
    test::run(io, stream.finish());
    EXPECT_EQ(read_from_stream(), "");
    ASSERT_EQ(::write(to.ends[1], "x", 1), 1);
    EXPECT_EQ(stream.try_read(room), 1U);
}

// Which end a watch tells of; nullopt: none yet.
std::optional<CloseReason> told(test::Running<void>& watching) {
    if (!watching.done()) return std::nullopt;
    try {
        watching.get();
    } catch (const StreamError& left) {
        return left.close_reason();
    }
    return std::nullopt;
}

TEST_F(PipeStreamTest, WatchTellsOfAProgramThatLeavesBytesUnread) {
    test::run(io, write_text(stream, "unread"));
    test::Running<void> watching(io, wait_until_lost(stream));
    test::poll(io);
    EXPECT_FALSE(watching.done());
    from.close_reader();
    test::poll(io);
    EXPECT_EQ(told(watching), CloseReason::reset);
}

TEST_F(PipeStreamTest, WatchTellsOfAProgramThatLeavesInOrder) {
    test::run(io, write_text(stream, "read"));
    EXPECT_EQ(read_from_stream(), "read");
    ASSERT_EQ(::write(to.ends[1], "bye", 3), 3);
    to.close_writer();
    from.close_reader();
    test::Running<void> watching(io, wait_until_lost(stream));
    test::poll(io);
    EXPECT_EQ(told(watching), CloseReason::clean);
    EXPECT_EQ(stream.try_read(room), 3U) << "what it had sent can still be read";
    EXPECT_EQ(stream.try_read(room), 0U);
    test::run(io, stream.drain_until_closed());
}

TEST_F(PipeStreamTest, AProgramThatHasClosedItsInputAloneIsFoundOutByAWrite) {
    std::signal(SIGPIPE, SIG_IGN);  // as run() does
    test::Running<void> watching(io, wait_until_lost(stream));
    from.close_reader();
    test::poll(io);
    EXPECT_FALSE(watching.done());
    EXPECT_EQ(stream.try_read(room), std::nullopt);
    try {
        test::run(io, write_text(stream, "x"));
        FAIL() << "it was written";
    } catch (const StreamError& error) {
        EXPECT_EQ(error.close_reason(), CloseReason::reset);
    }
}

// The second end comes while the first one is known.
TEST_F(PipeStreamTest, WatchWaitsForTheOtherPipe) {
    test::Running<void> watching(io, wait_until_lost(stream));
    from.close_reader();
    test::poll(io);
    EXPECT_FALSE(watching.done());
    to.close_writer();
    while (!watching.done()) io.run_one();
    EXPECT_EQ(told(watching), CloseReason::clean);
}

TEST_F(PipeStreamTest, WatchGoesOnAfterFinish) {
    test::Running<void> watching(io, wait_until_lost(stream));
    test::poll(io);
    test::run(io, stream.finish());
    from.close_reader();
    test::poll(io);
    EXPECT_FALSE(watching.done());
    watching.cancel();
    test::poll(io);
    EXPECT_TRUE(watching.done());
}

TEST_F(PipeStreamTest, LeavesTheFlagsOfSharedDescriptorsAlone) {
    Pipe terminal;
    const int shared_in = ::dup(terminal.ends[0]), shared_out = ::dup(terminal.ends[1]);
    const auto looped = make_pipe_stream(io.get_executor(), terminal.give(0), terminal.give(1));
    ByteStream& loop = *looped;
    {
        test::Running<std::size_t> reading(io, loop.read_some(room));
        test::Running<void> watching(io, wait_until_lost(loop));
        test::poll(io);
        EXPECT_FALSE(reading.done());
        test::run(io, write_text(loop, "x"));
        test::poll(io);
        EXPECT_TRUE(reading.done());
        watching.cancel();
        test::poll(io);
    }
    EXPECT_EQ(::fcntl(shared_in, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_EQ(::fcntl(shared_out, F_GETFL) & O_NONBLOCK, 0);
    ::close(shared_in);
    ::close(shared_out);
}

TEST_F(PipeStreamTest, AWriteThatFailsIsMetByTheReaderBehindWhatIsThere) {
    Pipe input;
    const int no_room = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    const auto full = make_pipe_stream(io.get_executor(), input.give(0), no_room);
    test::Running<void> waiting(io, full->wait_readable());
    test::poll(io);
    EXPECT_FALSE(waiting.done());
    EXPECT_THROW(test::run(io, write_text(*full, "x")), StreamError);
    test::poll(io);
    EXPECT_NO_THROW(waiting.get());
    ASSERT_EQ(::write(input.ends[1], "hello", 5), 5);
    EXPECT_EQ(full->try_read(room), 5U);
    EXPECT_THROW(full->try_read(room), StreamError);
    input.close_writer();
    EXPECT_THROW(full->try_read(room), StreamError) << "that is no end of file";
}

TEST(PipeStream, FinishEndsASocketThatIsTheInputAsWell) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    asio::io_context io;
    const auto stream = make_pipe_stream(io.get_executor(), ::dup(ends[0]), ::dup(ends[0]));
    ::close(ends[0]);
    test::run(io, stream->finish());
    char byte = 0;
    EXPECT_EQ(::recv(ends[1], &byte, 1, MSG_DONTWAIT), 0);
    ASSERT_EQ(::write(ends[1], "x", 1), 1);
    std::array<std::byte, 4> room{};
    EXPECT_EQ(stream->try_read(room), 1U);
    ::close(ends[1]);
}

// Of a socket, whose two descriptors the other program closes as one.
std::optional<CloseReason> end_of_socket(bool leaves_bytes_unread) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return std::nullopt;
    asio::io_context io;
    const auto stream = make_pipe_stream(io.get_executor(), ::dup(ends[0]), ::dup(ends[0]));
    ::close(ends[0]);
    if (leaves_bytes_unread) test::run(io, write_text(*stream, "unread"));
    ::close(ends[1]);
    test::Running<void> watching(io, wait_until_lost(*stream));
    test::poll(io);
    return told(watching);
}

TEST(PipeStream, ASocketTellsWhetherBytesWereLeftUnread) {
    EXPECT_EQ(end_of_socket(false), CloseReason::clean);
    EXPECT_EQ(end_of_socket(true), CloseReason::reset);
}

TEST(PipeStream, ReadsAndWritesPlainFiles) {
    asio::io_context io;
    const int in = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    const int out = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    const auto stream = make_pipe_stream(io.get_executor(), in, out);
    std::array<std::byte, 4> magic{};
    EXPECT_EQ(test::run(io, stream->read_some(magic)), 4U);
    EXPECT_EQ(magic[1], std::byte{'E'});
    test::run(io, write_text(*stream, "gone"));
    test::Running<void> watching(io, wait_until_lost(*stream));
    test::poll(io);
    EXPECT_FALSE(watching.done());
    watching.cancel();
    test::poll(io);
    test::run(io, stream->finish());
    EXPECT_ANY_THROW(test::run(io, write_text(*stream, "late")));
}

}  // namespace
}  // namespace device_streams
