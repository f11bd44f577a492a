#include "common/base/ip_network.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

bool contains(std::string_view network, std::string_view address) {
    return IpNetwork::parse(network).value().contains(parse_ip_address(address).value());
}

TEST(IpNetwork, ContainsWhatBeginsLikeIt) {
    EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
    EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
    EXPECT_TRUE(contains("192.0.2.128/25", "192.0.2.129"));
    EXPECT_FALSE(contains("192.0.2.128/25", "192.0.2.127"));
    EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
    EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
    EXPECT_TRUE(contains("0.0.0.0/0", "203.0.113.7"));
    EXPECT_TRUE(contains("::/0", "2001:db8::1"));
}

TEST(IpNetwork, AnAddressAloneIsABlockOfOne) {
    EXPECT_TRUE(contains("192.0.2.1", "192.0.2.1"));
    EXPECT_FALSE(contains("192.0.2.1", "192.0.2.2"));
    EXPECT_TRUE(contains("[2001:db8::1]", "2001:db8::1"));
}

TEST(IpNetwork, FamiliesAreApartButForMappedAddresses) {
    EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
    EXPECT_FALSE(contains("::/0", "192.0.2.1"));
    EXPECT_TRUE(contains("192.0.2.0/24", "::ffff:192.0.2.1"));
}

TEST(IpNetwork, IsPrintedAsItCanBeRead) {
    EXPECT_EQ(IpNetwork::parse("10.1.2.3/8")->to_string(), "10.0.0.0/8");
    EXPECT_EQ(IpNetwork::parse("192.0.2.1")->to_string(), "192.0.2.1");
    EXPECT_EQ(IpNetwork::parse("2001:db8::/32"), IpNetwork::parse("2001:db8:1::/32"));
}

TEST(IpNetwork, NothingElseIsOne) {
    for (const auto* text : {"", "x", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8 ",
                             "10.0.0.0/8/8", "/8", "10.0.0/8", "hub.example.com"})
        EXPECT_FALSE(IpNetwork::parse(text)) << text;
}

}  // namespace
}  // namespace device_streams
