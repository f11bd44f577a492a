#include "common/net/connect_first.hpp"

#include "common/base/error.hpp"
#include "common/net/listener.hpp"
#include "common/net/socket_options.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace device_streams {
namespace {

using namespace std::chrono_literals;

const SocketAddress any_port = asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0);

/// Listens and accepts nobody; its queue is full, so the kernel leaves further connections unanswered.
class Silent {
 public:
    Silent() {
        ::bind(listener_, any_port.data(), static_cast<socklen_t>(any_port.size()));
        ::listen(listener_, 0);
        address = socket_options::local_address(listener_).value_or(any_port);
        for (auto& fd : queue_) {
            fd = socket_calls::socket(AF_INET);
            socket_calls::connect(fd, address);
        }
    }
    ~Silent() {
        for (const int fd : queue_) ::close(fd);
        ::close(listener_);
    }
    Silent(const Silent&) = delete;
    Silent& operator=(const Silent&) = delete;
    SocketAddress address;

 private:
    const int listener_ = socket_calls::socket(AF_INET);
    int queue_[4] = {};
};

struct ConnectFirst : testing::Test {
    static SocketAddress address_of(const Listener& listener) {
        return asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), listener.endpoint().port);
    }
    void settle() {
        io.restart();
        io.run_for(20ms);  // for the kernel; the clock stands still
    }
    asio::io_context io{1};
    test::ManualClock clock;
    const Endpoint loopback{.host = "127.0.0.1", .port = 0, .path = {}};
    Listener listener{io.get_executor(), loopback};
};

TEST_F(ConnectFirst, TheNextAddressWaitsForTheHeadStart) {
    const Silent silent;
    const std::vector<SocketAddress> addresses{silent.address, address_of(listener)};
    test::Running<Socket> connecting(io, connect_first(addresses, clock));
    settle();
    clock.advance(249ms);
    settle();
    EXPECT_FALSE(connecting.done());
    clock.advance(1ms);
    settle();
    ASSERT_TRUE(connecting.done());
    EXPECT_EQ(connecting.get().peer(), listener.endpoint().to_string());
}

TEST_F(ConnectFirst, AFailureIsFollowedByTheNextAtOnce) {
    Listener closed(io.get_executor(), loopback);
    const std::vector<SocketAddress> addresses{address_of(closed), address_of(listener)};
    closed.close();
    test::Running<Socket> connecting(io, connect_first(addresses, clock));
    settle();
    ASSERT_TRUE(connecting.done());
    EXPECT_TRUE(connecting.get().is_open());
}

TEST_F(ConnectFirst, AFailureTakesNoHeadStartFromTheNext) {
    const Silent silent;
    Listener closed(io.get_executor(), loopback);
    const std::vector<SocketAddress> addresses{address_of(closed), silent.address, address_of(listener)};
    closed.close();
    test::Running<Socket> connecting(io, connect_first(addresses, clock));
    settle();
    EXPECT_FALSE(connecting.done());
    clock.advance(250ms);
    settle();
    EXPECT_TRUE(connecting.done());
}

int largest_segment(const Socket& socket) {
    int size = 0;
    socklen_t length = sizeof size;
    ::getsockopt(socket.handle(), IPPROTO_TCP, TCP_MAXSEG, &size, &length);
    return size;
}

TEST_F(ConnectFirst, SegmentsAreLimitedWhereThatIsWanted) {
    test::Running<Socket> usual(io, connect_first({address_of(listener)}, clock));
    test::Running<Socket> limited(io, connect_first({address_of(listener)}, clock, 1000));
    settle();
    EXPECT_GT(largest_segment(usual.get()), 1000);
    const auto size = largest_segment(limited.get());  // less TCP's time stamps
    EXPECT_TRUE(size > 900 && size <= 1000) << size;
}

TEST_F(ConnectFirst, AListenerLimitsSegmentsOfThoseThatConnect) {
    listener.limit_segments(1000);
    test::Running<Socket> connecting(io, connect_first({address_of(listener)}, clock));
    settle();
    EXPECT_LE(largest_segment(connecting.get()), 1000);
}

TEST_F(ConnectFirst, ACancellationEndsAllAttempts) {
    const Silent silent;
    const std::vector<SocketAddress> addresses{silent.address, silent.address};
    test::Running<Socket> connecting(io, connect_first(addresses, clock));
    settle();
    connecting.cancel();
    settle();
    ASSERT_TRUE(connecting.done());
    EXPECT_TRUE(is_cancellation(connecting.failure()));
}

}  // namespace
}  // namespace device_streams
