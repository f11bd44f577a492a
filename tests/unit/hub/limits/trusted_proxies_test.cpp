#include "hub/limits/trusted_proxies.hpp"

#include <gtest/gtest.h>

namespace device_streams::hub {
namespace {

TrustedProxies proxies(std::initializer_list<const char*> entries) {
    TrustedProxies made;
    for (const auto* entry : entries) made.push_back(TrustedProxy::parse(entry).value());
    return made;
}

TEST(TrustedProxies, AreBlocksOfAddresses) {
    const auto trusted = proxies({"10.0.0.0/8", "2001:db8::/32", "192.0.2.1"});
    EXPECT_TRUE(covers(trusted, "10.1.2.3:4711"));
    EXPECT_TRUE(covers(trusted, "[2001:db8::7]:4711"));
    EXPECT_TRUE(covers(trusted, "192.0.2.1"));
    EXPECT_FALSE(covers(trusted, "192.0.2.2:1"));
    EXPECT_FALSE(covers(trusted, "unix"));
    EXPECT_FALSE(covers(trusted, "gone"));
}

TEST(TrustedProxies, OfUnixSocketsAreNamedByAWord) {
    EXPECT_TRUE(covers(proxies({"unix"}), "unix"));
    EXPECT_FALSE(covers(proxies({"unix"}), "127.0.0.1:1"));
    EXPECT_EQ(TrustedProxy::parse("unix")->to_string(), "unix");
}

TEST(TrustedProxies, NobodyIsOneByDefault) {
    EXPECT_FALSE(covers({}, "127.0.0.1:1"));
    EXPECT_FALSE(covers({}, "unix"));
}

TEST(TrustedProxies, NothingElseCanBeNamed) {
    for (const auto* text : {"", "proxy.example.com", "10.0.0.0/99", "unix:/run/x.sock"})
        EXPECT_FALSE(TrustedProxy::parse(text)) << text;
}

}  // namespace
}  // namespace device_streams::hub
