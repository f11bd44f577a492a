#include "common/async/join.hpp"
#include "common/base/error.hpp"
#include "common/net/dial.hpp"
#include "common/net/listener.hpp"
#include "common/net/peer_user.hpp"
#include "common/net/socket_stream.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/memory_stream.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/support/socket_pair.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

namespace device_streams {
namespace {

using test::run;
using test::text_of;

struct Net : testing::Test {
    Endpoint loopback(std::uint16_t port = 0) { return {.host = "127.0.0.1", .port = port, .path = {}}; }
    asio::io_context io{1};
    SystemClock clock;
    Log log{std::make_shared<test::CapturedLog>()};
};

asio::awaitable<std::string> say_hello(Listener& listener, Clock& clock, Log log) {
    const auto executor = co_await asio::this_coro::executor;
    SocketStream client(co_await dial(listener.endpoint(), clock));
    SocketStream server(co_await listener.accept(executor, clock, log));
    co_await write_text(client, "hello");
    co_await client.finish();
    std::string all;
    std::array<std::byte, 3> room;
    while (const auto size = co_await server.read_some(room)) all += text_of(std::span(room).first(size));
    co_return all;
}

// This process's own that listens there; -1: none.
int descriptor_at(std::uint16_t port) {
    for (int fd = 0; fd < 1024; ++fd) {
        int listens = 0;
        socklen_t size = sizeof listens;
        sockaddr_in address{};
        socklen_t address_size = sizeof address;
        const bool is_there = getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0 &&
                              getsockname(fd, reinterpret_cast<sockaddr*>(&address), &address_size) == 0;
        if (is_there && address.sin_port == htons(port)) return fd;
    }
    return -1;
}

TEST_F(Net, DialsAListenerOverTcp) {
    Listener listener(io.get_executor(), loopback());
    EXPECT_NE(listener.endpoint().port, 0);
    EXPECT_EQ(run(io, say_hello(listener, clock, log)), "hello");
}

TEST_F(Net, DialsAListenerOverAUnixSocket) {
    const test::ScratchFolder folder;
    Listener listener(io.get_executor(), Endpoint{.host = {}, .port = 0, .path = folder / "s"});
    EXPECT_EQ(run(io, say_hello(listener, clock, log)), "hello");
}

// The administrator decides, not a constant of the C library's.
TEST_F(Net, ListenerQueuesAsManyConnectionsAsTheSystemPermits) {
    Listener listener(io.get_executor(), loopback());
    tcp_info info{};
    socklen_t size = sizeof info;
    ASSERT_EQ(getsockopt(descriptor_at(listener.endpoint().port), IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    unsigned permitted = 0;
    std::ifstream("/proc/sys/net/core/somaxconn") >> permitted;
    EXPECT_EQ(info.tcpi_sacked, std::min(permitted, 65'535u)) << "of a listener, the length of its queue";
}

TEST_F(Net, LocalhostReachesAnIPv4Listener) {
    Listener listener(io.get_executor(), loopback());
    const Endpoint by_name{.host = "localhost", .port = listener.endpoint().port, .path = {}};
    const Socket connected = run(io, dial(by_name, clock));
    EXPECT_TRUE(connected.is_open());
}

TEST_F(Net, ANameIsListenedAtInAllItsAddresses) {
    const auto listeners = listen_at_all(io.get_executor(), {.host = "localhost", .port = 0, .path = {}}, nullptr);
    const auto port = listeners.front()->endpoint().port;
    std::size_t reached = 0;
    for (const auto* address : {"127.0.0.1", "::1"}) {
        try {
            run(io, dial({.host = address, .port = port, .path = {}}, clock));
            ++reached;
        } catch (const std::system_error&) {
            // this machine has no such address, or its localhost is of one family
        }
    }
    EXPECT_EQ(reached, listeners.size());
    EXPECT_EQ(listen_at_all(io.get_executor(), loopback(), nullptr).size(), 1U);
}

TEST_F(Net, TheUserOfALocalPeerIsKnown) {
    const test::ScratchFolder folder;
    const Endpoint unix_socket{.host = {}, .port = 0, .path = folder / "s"};
    for (const auto& [at, by] : {std::pair(unix_socket, ""), {loopback(), "127.0.0.1"}, {{"::", 0, ""}, "127.0.0.1"}}) {
        Listener listener(io.get_executor(), at);
        const Endpoint there{by, listener.endpoint().port, at.path};
        auto connected = std::make_unique<Socket>(run(io, dial(there, clock)));
        const Socket accepted = run(io, listener.accept(io.get_executor(), clock, log));
        EXPECT_EQ(peer_user(accepted), ::getuid()) << at.to_string();
        if (at.is_unix()) continue;
        connected.reset();
        EXPECT_EQ(peer_user(accepted), std::nullopt) << "it is gone: nobody's, and not root's";
    }
}

TEST_F(Net, APortInUseIsNamed) {
    Listener first(io.get_executor(), loopback());
    try {
        Listener second(io.get_executor(), first.endpoint());
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.errc(), Errc::listen_failed);
        EXPECT_NE(failure.detail().find(first.endpoint().to_string()), std::string::npos);
        EXPECT_NE(failure.detail().find("in use"), std::string::npos);
    }
}

TEST_F(Net, AStaleUnixSocketIsReplacedAndALiveOneIsNot) {
    const test::ScratchFolder folder;
    const Endpoint endpoint{.host = {}, .port = 0, .path = folder / "s"};
    {
        Listener crashed(io.get_executor(), endpoint);
        // What a killed process leaves: the file without a listener.
        std::filesystem::rename(folder / "s", folder / "kept");
        crashed.close();
        std::filesystem::rename(folder / "kept", folder / "s");
    }
    Listener second(io.get_executor(), endpoint);
    EXPECT_THROW(Listener(io.get_executor(), endpoint), Failure);
}

TEST_F(Net, ARefusedConnectionSaysSo) {
    Listener listener(io.get_executor(), loopback());
    const auto on_lost = listener.endpoint();
    listener.close();
    try {
        run(io, dial(on_lost, clock));
        FAIL();
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), asio::error::connection_refused);
    }
}

TEST_F(Net, AnUnknownNameSaysSo) {
    try {
        run(io, dial(Endpoint{.host = "no-such-host.invalid", .port = 1, .path = {}}, clock));
        FAIL();
    } catch (const std::system_error& error) {
        EXPECT_TRUE(error.code() == asio::error::host_not_found ||
                    error.code() == asio::error::host_not_found_try_again)
            << error.what();
    }
}

asio::awaitable<std::pair<Socket, Socket>> connect_pair(Listener& listener, Clock& clock, Log log) {
    const auto executor = co_await asio::this_coro::executor;
    auto client = co_await dial(listener.endpoint(), clock);
    auto server = co_await listener.accept(executor, clock, log);
    std::pair<Socket, Socket> joined(std::move(client), std::move(server));
    co_return joined;
}

TEST_F(Net, WatchSeesAResetWithoutReading) {
    Listener listener(io.get_executor(), loopback());
    auto [client, server] = run(io, connect_pair(listener, clock, log));
    client.try_send(std::as_bytes(std::span("unread")));
    test::Running<void> watching(io, wait_until_lost(server));
    test::poll(io);
    EXPECT_FALSE(watching.done());
    client.reset();
    io.restart();
    while (!watching.done()) io.run_one();
    try {
        watching.get();
        FAIL();
    } catch (const StreamError& error) {
        EXPECT_EQ(error.close_reason(), CloseReason::reset);
    }
}

TEST_F(Net, WatchSeesAResetThatCameBefore) {
    Listener listener(io.get_executor(), loopback());
    auto [client, server] = run(io, connect_pair(listener, clock, log));
    client.reset();
    test::Running<void> watching(io, wait_until_lost(server));
    io.restart();
    while (!watching.done()) io.run_one();
    EXPECT_THROW(watching.get(), StreamError);
}

TEST_F(Net, AResetThatAWriterMetIsNoEndOfFileToTheReader) {
    Listener listener(io.get_executor(), loopback());
    auto [client, server] = run(io, connect_pair(listener, clock, log));
    client.reset();
    std::array<std::byte, 8> room{};
    EXPECT_THROW(server.try_send(room), StreamError) << "the kernel tells of it once";
    EXPECT_THROW(server.try_recv(room), StreamError);
    EXPECT_THROW(server.try_peek(room), StreamError);
}

TEST_F(Net, AResetThatAReaderMetIsOneToTheWriter) {
    Listener listener(io.get_executor(), loopback());
    auto [client, server] = run(io, connect_pair(listener, clock, log));
    client.reset();
    std::array<std::byte, 8> room{};
    EXPECT_THROW(server.try_recv(room), StreamError);
    EXPECT_THROW(server.try_recv(room), StreamError);
    try {
        server.try_send(room);
        FAIL();
    } catch (const StreamError& error) {
        EXPECT_STREQ(error.what(), "Connection reset by peer");
    }
}

TEST_F(Net, ACleanCloseLosesNothingAndDoesNotReset) {
    Listener listener(io.get_executor(), loopback());
    auto [a, b] = run(io, connect_pair(listener, clock, log));
    SocketStream client(std::move(a)), server(std::move(b));
    run(io, write_text(client, "never read by the server"));
    run(io, write_text(server, "last words"));
    test::Running<void> closing(io, server.close(CloseReason::clean));
    test::poll(io);
    std::array<std::byte, 64> room;
    const auto size = run(io, client.read_some(room));
    EXPECT_EQ(text_of(std::span(room).first(size)), "last words");
    EXPECT_EQ(run(io, client.read_some(room)), 0u);
    run(io, client.close(CloseReason::clean));
    test::poll(io);
    EXPECT_TRUE(closing.done());
}

TEST_F(Net, ACleanCloseLeavesTheKernelToDeliverTheRest) {
    Listener listener(io.get_executor(), loopback());
    auto [a, b] = run(io, connect_pair(listener, clock, log));
    SocketStream client(std::move(a));
    std::size_t sent = 0;
    {
        const std::vector<std::byte> chunk(64 * 1024);
        while (const auto size = b.try_send(chunk)) sent += size;  // far more than the peer's side takes unread
        SocketStream server(std::move(b));
        run(io, client.finish());
        run(io, server.close(CloseReason::clean));
    }
    std::vector<std::byte> room(64 * 1024);
    std::size_t received = 0;
    while (const auto size = run(io, client.read_some(room))) received += size;
    EXPECT_EQ(received, sent);
}

// As a service does that wants no more input: the kernel tells that to nobody but the sender.
TEST_F(Net, AWriteThatFailsWakesTheReader) {
    auto [ours, theirs] = test::make_socket_pair(io.get_executor());
    ::shutdown(theirs.handle(), SHUT_RD);
    theirs.try_send(std::as_bytes(std::span("answer")));
    test::Running<void> waiting(io, ours.wait_readable());
    std::array<std::byte, 64> room{};
    EXPECT_THROW(ours.try_send(room), StreamError);
    io.restart();
    while (!waiting.done()) io.run_one();
    EXPECT_EQ(ours.try_recv(room), 7U);
    EXPECT_THROW(ours.try_recv(room), StreamError);
}

// Fills the connection, and has it end badly before the peer reads.
struct SlowReader : Net {
    void SetUp() override {
        Listener listener(io.get_executor(), loopback());
        auto [a, b] = run(io, connect_pair(listener, clock, log));
        const std::vector<std::byte> chunk(64 * 1024);
        while (const auto size = b.try_send(chunk)) sent += size;
        client.emplace(std::move(a));
        server.emplace(std::move(b));
        closing.emplace(io, server->close(CloseReason::lost));
        test::poll(io);
    }
    std::optional<SocketStream> client, server;
    std::size_t sent = 0;
    std::optional<test::Running<void>> closing;
};

TEST_F(SlowReader, GetsAllBeforeTheReset) {
    EXPECT_FALSE(closing->done());
    std::vector<std::byte> room(64 * 1024);
    std::size_t received = 0;
    EXPECT_THROW(
        for (;;) {
            io.restart();
            io.poll();
            received += client->try_read(room).value_or(0);
        },
        StreamError);
    EXPECT_EQ(received, sent);
    EXPECT_TRUE(closing->done());
}

TEST_F(SlowReader, MaySendMeanwhile) {
    std::vector<std::byte> room(16 * 1024);
    for (int i = 0; i < 1000; ++i) {
        test::Running<void> writing(io, client->write_all(OutBytes{room, 0}));
        io.restart();
        while (!writing.done()) io.run_one();
    }
    EXPECT_FALSE(closing->done());
}

TEST_F(SlowReader, IsLeftAtOnceWhenItResets) {
    client->abort(CloseReason::reset);
    io.restart();
    while (!closing->done()) io.run_one();
    EXPECT_THROW(closing->get(), StreamError);
}

TEST_F(Net, AStreamThatIsDroppedReachesThePeerAsAReset) {
    Listener listener(io.get_executor(), loopback());
    auto [a, b] = run(io, connect_pair(listener, clock, log));
    SocketStream client(std::move(a));
    { const SocketStream dropped(std::move(b)); }
    std::array<std::byte, 64> room;
    EXPECT_THROW(run(io, client.read_some(room)), StreamError);
}

TEST_F(Net, AnAbortReachesThePeerAsAReset) {
    Listener listener(io.get_executor(), loopback());
    auto [a, b] = run(io, connect_pair(listener, clock, log));
    SocketStream client(std::move(a)), server(std::move(b));
    server.abort(CloseReason::lost);
    std::array<std::byte, 64> room;
    try {
        run(io, client.read_some(room));
        FAIL();
    } catch (const StreamError& error) {
        EXPECT_EQ(error.close_reason(), CloseReason::reset);
    }
}

TEST_F(Net, ClosingAListenerEndsItsAccept) {
    Listener listener(io.get_executor(), loopback());
    test::Running<Socket> accepting(io, listener.accept(io.get_executor(), clock, log));
    test::poll(io);
    listener.close();
    test::poll(io);
    ASSERT_TRUE(accepting.done());
    EXPECT_TRUE(is_cancellation(accepting.failure()));
}

}  // namespace
}  // namespace device_streams
