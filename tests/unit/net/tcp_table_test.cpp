#include "common/net/tcp_table.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

using asio::ip::make_address;
using asio::ip::tcp;

// Lines as of a machine that stores the low byte first.
constexpr auto ipv4 =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 33 1 0 100 0 0 10 0\n"
    "   1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 77 1 0 20 4 30 10 -1\n"
    "   2: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     5        0 78 1 0 20 4 30 10 -1\n"
    "   3: 0100007F:C351 0100007F:1F90 06 00000000:00000000 03:00000A2B 00000000     0        0 0 3 0\n"
    "   4: 0100007F:C352 0100007F:1F90 01 00000000:00000000 00:00000000 00000000 many        0 79 1 0\n"
    "   5: 0100007F:C353 0100007F:1F90 01 00000000:00000000\n";
constexpr auto ipv6 =
    "   0: 00000000000000000000000001000000:C350 00000000000000000000000001000000:1F90 01 0:0 00:0 0 1001 0 80 1 0\n"
    "   1: 0000000000000000FFFF00000100007F:C350 0000000000000000FFFF00000100007F:1F90 01 0:0 00:0 0 1002 0 81 1 0\n";

std::optional<UserId> owner(std::string_view table, const char* address, std::uint16_t port) {
    return owner_in_tcp_table(table, {make_address(address), port}, {make_address(address), 8080});
}

TEST(TcpTable, TellsWhoseASocketIs) {
    EXPECT_EQ(owner(ipv4, "127.0.0.1", 50000), 1000U) << "and not 5, whose socket is the other end";
    EXPECT_EQ(owner(ipv6, "::1", 50000), 1001U);
    EXPECT_EQ(owner(ipv6, "::ffff:127.0.0.1", 50000), 1002U);
}

TEST(TcpTable, WhatNobodyHasOpenIsNotRoots) {
    EXPECT_EQ(owner(ipv4, "127.0.0.1", 50001), std::nullopt);
}

TEST(TcpTable, WhatIsNotThereOrNotReadableIsNobodys) {
    EXPECT_EQ(owner(ipv4, "127.0.0.1", 50007), std::nullopt);
    EXPECT_EQ(owner(ipv4, "127.0.0.2", 50000), std::nullopt);
    EXPECT_EQ(owner(ipv4, "127.0.0.1", 50002), std::nullopt);
    EXPECT_EQ(owner(ipv4, "127.0.0.1", 50003), std::nullopt);
    EXPECT_EQ(owner("", "127.0.0.1", 50000), std::nullopt);
}

}  // namespace
}  // namespace device_streams
