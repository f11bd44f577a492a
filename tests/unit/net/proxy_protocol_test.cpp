#include "common/net/proxy_protocol.hpp"

#include <gtest/gtest.h>

namespace device_streams::proxy_protocol {
namespace {

std::string client_in_line(const std::string& line) {
    const auto header = parse_line(line);
    return header ? "<" + header->client + ">" : "malformed";
}

std::string fixed(unsigned char version_and_command, unsigned char family, std::size_t size) {
    std::string text("\r\n\r\n\0\r\nQUIT\n", 12);
    for (const std::size_t byte : {std::size_t{version_and_command}, std::size_t{family}, size >> 8, size & 0xff})
        text.push_back(static_cast<char>(byte));
    return text;
}

std::string client_in(unsigned char version_and_command, unsigned char family, const std::string& addresses) {
    const auto header = parse_binary(fixed(version_and_command, family, addresses.size()), addresses);
    return header ? "<" + header->client + ">" : "malformed";
}

const std::string v4_addresses("\xcb\x00\x71\x07\xc0\x00\x02\x01\xc9\x3a\x01\xbb", 12);
const std::string v6_addresses = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x07" +
                                 std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x01" +
                                 std::string("\xc9\x3a\x01\xbb", 4);

TEST(ProxyProtocol1, NamesTheClient) {
    EXPECT_EQ(client_in_line("PROXY TCP4 203.0.113.7 192.0.2.1 51514 443\r\n"), "<203.0.113.7:51514>");
    EXPECT_EQ(client_in_line("PROXY TCP6 2001:db8::7 2001:db8::1 51514 443\r\n"), "<[2001:db8::7]:51514>");
    EXPECT_EQ(client_in_line("PROXY TCP6 ::ffff:203.0.113.7 2001:db8::1 51514 443\r\n"), "<203.0.113.7:51514>");
}

TEST(ProxyProtocol1, TheBalancerMaySpeakForItself) {
    EXPECT_EQ(client_in_line("PROXY UNKNOWN\r\n"), "<>");
    EXPECT_EQ(client_in_line("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), "<>");
}

TEST(ProxyProtocol1, NothingElseIsAHeader) {
    for (const auto* line :
         {"", "PROXY", "PROXY \r\n", "PROXY TCP4 2001:db8::7 2001:db8::1 51514 443\r\n",
          "PROXY TCP6 203.0.113.7 192.0.2.1 51514 443\r\n", "PROXY TCP6 [2001:db8::7] 2001:db8::1 51514 443\r\n",
          "PROXY TCP6 fe80::7%lo fe80::1 51514 443\r\n", "PROXY TCP4 203.0.113.7 192.0.2.1 51514 443",
          "PROXY TCP4 203.0.113.7 192.0.2.1 51514\r\n", "PROXY TCP4 203.0.113.7 192.0.2.1 51514 443 5\r\n",
          "PROXY TCP4 203.0.113.7 192.0.2.1 51514 65536\r\n", "PROXY TCP4 host 192.0.2.1 51514 443\r\n",
          "PROXY TCP4 203.0.113.7  51514 443\r\n", "PROXY UDP4 203.0.113.7 192.0.2.1 51514 443\r\n",
          "GET / HTTP/1.1\r\n"})
        EXPECT_EQ(client_in_line(line), "malformed") << line;
    EXPECT_EQ(client_in_line("PROXY UNKNOWN " + std::string(100, 'x') + "\r\n"), "malformed");
}

TEST(ProxyProtocol2, NamesTheClient) {
    EXPECT_EQ(client_in(0x21, 0x11, v4_addresses), "<203.0.113.7:51514>");
    EXPECT_EQ(client_in(0x21, 0x21, v6_addresses), "<[2001:db8::7]:51514>");
}

TEST(ProxyProtocol2, WhatFollowsTheAddressesIsLeftAlone) {
    EXPECT_EQ(client_in(0x21, 0x11, v4_addresses + "\x04\x01\x02zz"), "<203.0.113.7:51514>");
}

TEST(ProxyProtocol2, TheBalancerMaySpeakForItself) {
    EXPECT_EQ(client_in(0x20, 0x11, v4_addresses), "<>");  // LOCAL
    EXPECT_EQ(client_in(0x20, 0x00, ""), "<>");
    EXPECT_EQ(client_in(0x21, 0x00, ""), "<>");                     // UNSPEC
    EXPECT_EQ(client_in(0x21, 0x31, std::string(216, 'x')), "<>");  // Unix sockets
}

TEST(ProxyProtocol2, NothingElseIsAHeader) {
    EXPECT_EQ(client_in(0x11, 0x11, v4_addresses), "malformed");
    EXPECT_EQ(client_in(0x22, 0x11, v4_addresses), "malformed");
    EXPECT_EQ(client_in(0x21, 0x11, v4_addresses.substr(1)), "malformed");
    EXPECT_EQ(client_in(0x21, 0x21, v4_addresses), "malformed");
    EXPECT_FALSE(parse_binary(fixed(0x21, 0x11, 11), v4_addresses));
    EXPECT_FALSE(size_of_addresses(fixed(0x21, 0x11, longest_addresses + 1)));
    EXPECT_EQ(size_of_addresses(fixed(0x21, 0x11, longest_addresses)), longest_addresses);
    EXPECT_FALSE(size_of_addresses(fixed(0x21, 0x11, 12).substr(1)));
    EXPECT_FALSE(size_of_addresses(""));
}

}  // namespace
}  // namespace device_streams::proxy_protocol
