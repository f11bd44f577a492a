#include "hub/limits/source_address.hpp"

#include <gtest/gtest.h>

namespace device_streams::hub {
namespace {

TEST(SourceOf, Ipv4AddressIsOneSource) {
    EXPECT_EQ(source_of("192.0.2.1:4711"), "192.0.2.1");
    EXPECT_NE(source_of("192.0.2.1:4711"), source_of("192.0.2.2:4711"));
}

TEST(SourceOf, Ipv4IsTheSameWhereItComesMapped) {
    EXPECT_EQ(source_of("[::ffff:192.0.2.1]:4711"), "192.0.2.1");
    EXPECT_EQ(source_of("[::ffff:c000:201]:4711"), "192.0.2.1");
}

TEST(SourceOf, Ipv6NetworkOf64BitsIsOneSource) {
    EXPECT_EQ(source_of("[2001:db8:1:2:3:4:5:6]:443"), "2001:db8:1:2::/64");
    EXPECT_EQ(source_of("[2001:db8:1:2:ffff::1]:1"), "2001:db8:1:2::/64");
    EXPECT_EQ(source_of("[2001:db8:1:3::1]:80"), "2001:db8:1:3::/64");
}

TEST(SourcesOf, AreTheNetworksThatOneCustomerMayHave) {
    using Sources = std::vector<std::string>;
    EXPECT_EQ(sources_of("192.0.2.1:4711"), Sources{"192.0.2.1"});
    EXPECT_EQ(sources_of("[2001:db8:1:2345:3:4:5:6]:443"),
              (Sources{"2001:db8:1::/48", "2001:db8:1:2300::/56", "2001:db8:1:2345::/64"}));
    EXPECT_EQ(sources_of("unix"), Sources{"unix"});
}

TEST(SourceOf, LinkLocalAddressesAreOneSourceOnEveryInterface) {
    EXPECT_EQ(source_of("[fe80::1%1]:80"), source_of("[fe80::2]:80"));
}

TEST(SourceOf, WhatIsNoAddressStandsForItself) {
    EXPECT_EQ(source_of("unix"), "unix");
    EXPECT_EQ(source_of("gone"), "gone");
    EXPECT_EQ(source_of(""), "");
    EXPECT_EQ(source_of("[2001:db8::1"), "2001:db8::/64");
}

}  // namespace
}  // namespace device_streams::hub
