#include "hub/http/forwarded.hpp"

#include <gtest/gtest.h>

namespace device_streams::hub {
namespace {

const TrustedProxies trusted{TrustedProxy::parse("10.0.0.0/8").value(), TrustedProxy::parse("unix").value()};

std::string peer_of(const http::Headers& headers, const std::string& peer = "10.0.0.1:4711") {
    return forwarded_peer(headers, peer, trusted);
}
std::string by_list(const std::string& list) {
    return peer_of({{"X-Forwarded-For", list}});
}
std::string by_forwarded(const std::string& value) {
    return peer_of({{"Forwarded", value}});
}

TEST(ForwardedPeer, IsWhoConnectedWhereNothingIsSaid) {
    EXPECT_EQ(peer_of({}), "10.0.0.1:4711");
}

TEST(ForwardedPeer, IsNotWhatAStrangerSays) {
    EXPECT_EQ(peer_of({{"X-Forwarded-For", "192.0.2.1"}}, "203.0.113.7:1"), "203.0.113.7:1");
    EXPECT_EQ(forwarded_peer({{"X-Forwarded-For", "192.0.2.1"}}, "10.0.0.1:1", {}), "10.0.0.1:1");
}

TEST(ForwardedPeer, IsNamedByXForwardedFor) {
    EXPECT_EQ(by_list("203.0.113.7"), "203.0.113.7");
    EXPECT_EQ(by_list("203.0.113.7:51514"), "203.0.113.7:51514");
    EXPECT_EQ(by_list("2001:db8::7"), "[2001:db8::7]");
    EXPECT_EQ(by_list("[2001:db8::7]"), "[2001:db8::7]");
    EXPECT_EQ(by_list("[2001:db8::7]:51514"), "[2001:db8::7]:51514");
    EXPECT_EQ(by_list("::ffff:203.0.113.7"), "203.0.113.7");
    EXPECT_EQ(peer_of({{"x-forwarded-for", "203.0.113.7"}}, "unix"), "203.0.113.7");
}

TEST(ForwardedPeer, IsNamedByForwarded) {
    EXPECT_EQ(by_forwarded("for=203.0.113.7;proto=https;by=10.0.0.1"), "203.0.113.7");
    EXPECT_EQ(by_forwarded("proto=https; For=\"[2001:db8::7]:51514\""), "[2001:db8::7]:51514");
    EXPECT_EQ(by_forwarded("for=\"203.0.113.7:51514\""), "203.0.113.7:51514");
}

// What stands left of the first stranger, a stranger wrote.
TEST(ForwardedPeer, IsTheRightmostThatIsNoProxy) {
    EXPECT_EQ(by_list("192.0.2.66, 203.0.113.7"), "203.0.113.7");
    EXPECT_EQ(by_list("192.0.2.66, 203.0.113.7, 10.0.0.9"), "203.0.113.7");
    EXPECT_EQ(by_list("10.0.0.7, 10.0.0.8"), "10.0.0.7");
    EXPECT_EQ(by_forwarded("for=192.0.2.66, for=203.0.113.7;host=\"a,b\", for=10.0.0.9"), "203.0.113.7");
}

TEST(ForwardedPeer, IsTheNearestProxyWhereTheNextIsHidden) {
    EXPECT_EQ(by_list("unknown"), "10.0.0.1:4711");
    EXPECT_EQ(by_list("192.0.2.66, , 10.0.0.9"), "10.0.0.9");
    EXPECT_EQ(by_forwarded("for=_hidden, for=10.0.0.9"), "10.0.0.9");
    EXPECT_EQ(by_forwarded("proto=https"), "10.0.0.1:4711");
    EXPECT_EQ(by_forwarded("for=unknown"), "10.0.0.1:4711");
    EXPECT_EQ(by_forwarded("for="), "10.0.0.1:4711");
    EXPECT_EQ(by_list("203.0.113.7:99999"), "10.0.0.1:4711");
}

// A quote that a client opens in its own header would take in what the front end adds.
TEST(ForwardedPeer, IsNotHiddenByQuotesOfAClient) {
    EXPECT_EQ(by_list("\", 203.0.113.7"), "203.0.113.7");
    EXPECT_EQ(by_list("192.0.2.66, \"a, 203.0.113.7"), "203.0.113.7");
    EXPECT_EQ(by_forwarded("for=192.0.2.66;x=\"\\\"\", for=203.0.113.7"), "203.0.113.7");
    EXPECT_EQ(by_forwarded("for=192.0.2.66;x=\";for=1,\",for=203.0.113.7"), "203.0.113.7");
}

TEST(ForwardedPeer, IsRefusedWhereForwardedIsMalformed) {
    for (const auto* malformed : {"for=192.0.2.66;x=\", for=203.0.113.7", "for=192.0.2.66;x=\"\\\", for=203.0.113.7",
                                  "for=\"", "for=\"a\\", "for", "for 1.2.3.4", "for=192.0.2.66 for=203.0.113.7",
                                  "for=192.0.2.66;for=203.0.113.7", "for=\"a\"b", "for=a\"b\"", "\"for\"=a"})
        EXPECT_THROW(by_forwarded(malformed), ForwardedFault) << malformed;
    for (const auto* odd : {"", ",", ";", " ; ,", "for=203.0.113.7,", "a=;b=\"\""})
        EXPECT_NO_THROW(by_forwarded(odd)) << odd;
}

TEST(ForwardedPeer, MustBeTheSameInBothHeaders) {
    EXPECT_EQ(peer_of({{"X-Forwarded-For", "203.0.113.7"}, {"Forwarded", "for=\"203.0.113.7:51514\""}}), "203.0.113.7");
    EXPECT_THROW(peer_of({{"X-Forwarded-For", "203.0.113.7"}, {"Forwarded", "for=192.0.2.66"}}), ForwardedFault);
    EXPECT_THROW(peer_of({{"X-Forwarded-For", "203.0.113.7"}, {"Forwarded", "for=unknown"}}), ForwardedFault);
}

}  // namespace
}  // namespace device_streams::hub
