#include "hub/limits/unauthenticated_connections.hpp"

#include <gtest/gtest.h>

namespace device_streams::hub {
namespace {

ConnectionLimits at_most(std::size_t per_address, std::size_t in_all) {
    ConnectionLimits limits;
    limits.connections_per_address = per_address;
    limits.connections_without_login = in_all;
    return limits;
}

TEST(UnauthenticatedConnectionsTest, LimitHoldsForEachAddressAlone) {
    UnauthenticatedConnections unauthenticated;
    const auto first = unauthenticated.enter("203.0.113.7:1", at_most(2, 9));
    const auto second = unauthenticated.enter("203.0.113.7:2", at_most(2, 9));
    EXPECT_TRUE(first && second);
    EXPECT_FALSE(unauthenticated.enter("203.0.113.7:3", at_most(2, 9)));
    EXPECT_TRUE(unauthenticated.enter("203.0.113.8:3", at_most(2, 9)));
    EXPECT_TRUE(unauthenticated.enter("[2001:db8::1]:3", at_most(2, 9)));
}

TEST(UnauthenticatedConnectionsTest, PlaceIsFreeAgainWhenTheVisitorLeaves) {
    UnauthenticatedConnections unauthenticated;
    auto first = unauthenticated.enter("203.0.113.7:1", at_most(1, 9));
    EXPECT_FALSE(unauthenticated.enter("203.0.113.7:2", at_most(1, 9)));
    first.reset();
    EXPECT_TRUE(unauthenticated.enter("203.0.113.7:2", at_most(1, 9)));
}

TEST(UnauthenticatedConnectionsTest, LimitHoldsForAllAddressesTogether) {
    UnauthenticatedConnections unauthenticated;
    auto first = unauthenticated.enter("203.0.113.7:1", at_most(2, 2));
    const auto second = unauthenticated.enter("203.0.113.8:1", at_most(2, 2));
    EXPECT_FALSE(unauthenticated.enter("203.0.113.9:1", at_most(2, 2)));
    first.reset();
    EXPECT_TRUE(unauthenticated.enter("203.0.113.9:1", at_most(2, 2)));
}

TEST(UnauthenticatedConnectionsTest, Ipv6NetworkIsOneAddress) {
    UnauthenticatedConnections unauthenticated;
    const auto first = unauthenticated.enter("[2001:db8:1:2:3:4:5:6]:1", at_most(1, 9));
    EXPECT_FALSE(unauthenticated.enter("[2001:db8:1:2::1]:1", at_most(1, 9)));
    EXPECT_TRUE(unauthenticated.enter("[2001:db8:1:3::1]:1", at_most(1, 9)));
}

TEST(UnauthenticatedConnectionsTest, TrustedProxyIsCountedAmongAllOnly) {
    UnauthenticatedConnections unauthenticated;
    auto limits = at_most(1, 3);
    limits.trusted_proxies = {TrustedProxy::parse("10.0.0.1").value()};
    auto first = unauthenticated.enter("10.0.0.1:1", limits);
    const auto second = unauthenticated.enter("10.0.0.1:2", limits);
    const auto third = unauthenticated.enter("10.0.0.1:3", limits);
    EXPECT_TRUE(first && second && third);
    EXPECT_FALSE(unauthenticated.enter("203.0.113.7:1", limits));
    first.reset();
    EXPECT_TRUE(unauthenticated.enter("203.0.113.7:1", limits));
}

}  // namespace
}  // namespace device_streams::hub
