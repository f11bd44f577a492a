#include "common/net/inherited_sockets.hpp"

#include "common/async/join.hpp"
#include "common/net/dial.hpp"
#include "common/net/listener.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace device_streams {
namespace {

struct InheritedSocketsTest : testing::Test {
    // As a service manager makes them: they block.
    int listen_on_loopback() {
        const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), size), 0);
        EXPECT_EQ(::listen(fd, 8), 0);
        EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
        loopback.port = ntohs(address.sin_port);
        return fd;
    }
    int listen_on_path() {
        const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.path.copy(address.sun_path, path.path.size());
        EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(fd, 8), 0);
        return fd;
    }
    Socket connect(const Endpoint& endpoint) { return test::run(io, dial(endpoint, clock)); }
    bool accepts(Listener& listener) { return test::run(io, listener.accept(io.get_executor(), clock, log)).is_open(); }

    const test::ScratchFolder folder;
    Endpoint loopback{.host = "127.0.0.1", .port = 0, .path = {}};
    const Endpoint path{.host = {}, .port = 0, .path = folder / "s"};
    asio::io_context io{1};
    SystemClock clock;
    Log log{std::make_shared<test::CapturedLog>()};
};

TEST_F(InheritedSocketsTest, AListenerUsesTheOneAtItsAddress) {
    InheritedSockets inherited({listen_on_path(), listen_on_loopback()});
    Listener listener(io.get_executor(), loopback, &inherited);
    EXPECT_EQ(listener.endpoint(), loopback);
    const Socket client = connect(loopback);
    EXPECT_TRUE(accepts(listener));
    EXPECT_EQ(inherited.unused(), std::vector<std::string>{path.to_string()});
}

TEST_F(InheritedSocketsTest, AnotherPortIsAnotherSocket) {
    InheritedSockets inherited({listen_on_loopback()});
    EXPECT_EQ(inherited.duplicate({.host = "127.0.0.1", .port = 1, .path = {}}), no_socket);
    EXPECT_EQ(inherited.unused(), std::vector<std::string>{loopback.to_string()});
}

TEST_F(InheritedSocketsTest, WhatConnectsBetweenTwoListenersWaits) {
    InheritedSockets inherited({listen_on_loopback()});
    Listener(io.get_executor(), loopback, &inherited).close();
    const Socket client = connect(loopback);
    Listener next(io.get_executor(), loopback, &inherited);
    EXPECT_TRUE(accepts(next));
}

TEST_F(InheritedSocketsTest, AUnixSocketKeepsItsFile) {
    InheritedSockets inherited({listen_on_path()});
    Listener(io.get_executor(), path, &inherited).close();
    struct stat file {};
    EXPECT_EQ(::stat(path.path.c_str(), &file), 0);
    Listener next(io.get_executor(), path, &inherited);
    const Socket client = connect(path);
    EXPECT_TRUE(accepts(next));
}

TEST_F(InheritedSocketsTest, OtherAddressesAreBoundAsEver) {
    InheritedSockets inherited({listen_on_path()});
    Listener listener(io.get_executor(), loopback, &inherited);
    EXPECT_NE(listener.endpoint().port, 0);
    EXPECT_EQ(inherited.unused().size(), 1U);
}

}  // namespace
}  // namespace device_streams
