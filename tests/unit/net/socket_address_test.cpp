#include "common/net/socket_address.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

std::string described(const char* address, std::uint16_t port) {
    return describe(SocketAddress(asio::ip::tcp::endpoint(asio::ip::make_address(address), port)));
}

TEST(SocketAddress, IsDescribedForLogs) {
    EXPECT_EQ(described("203.0.113.7", 51514), "203.0.113.7:51514");
    EXPECT_EQ(described("2001:db8::7", 51514), "[2001:db8::7]:51514");
    EXPECT_EQ(describe(unix_address("/tmp/x")), "unix");
}

TEST(SocketAddress, Ipv4OnAnIpv6SocketIsIpv4) {
    EXPECT_EQ(described("::ffff:203.0.113.7", 443), "203.0.113.7:443");
}

TEST(SocketAddress, ItsHostIsFoundAgain) {
    EXPECT_EQ(host_of("203.0.113.7:51514"), "203.0.113.7");
    EXPECT_EQ(host_of("203.0.113.7"), "203.0.113.7");
    EXPECT_EQ(host_of("[2001:db8::7]:51514"), "2001:db8::7");
    EXPECT_EQ(host_of("[2001:db8::7]"), "2001:db8::7");
    EXPECT_EQ(host_of("[2001:db8::7"), "2001:db8::7");
    EXPECT_EQ(host_of("unix"), "unix");
    EXPECT_EQ(host_of(""), "");
}

}  // namespace
}  // namespace device_streams
