#include "common/base/no_proxy.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

bool covers(const std::string& list, std::string_view host) {
    return NoProxy(list).covers(host);
}

TEST(NoProxy, CoversNothingWhenEmpty) {
    EXPECT_FALSE(covers("", "hub.example.com"));
    EXPECT_FALSE(covers(" ,, ", "hub.example.com"));
}

TEST(NoProxy, StarCoversEverything) {
    EXPECT_TRUE(covers("*", "hub.example.com"));
    EXPECT_TRUE(covers("other, *", "::1"));
    EXPECT_FALSE(covers("*.example.com", "hub.example.com"));
}

TEST(NoProxy, NamesCoverThemselvesAndAllBelow) {
    for (const auto* list :
         {"example.com", ".example.com", "Example.COM", "example.com.", "other,example.com", "other example.com"}) {
        EXPECT_TRUE(covers(list, "example.com")) << list;
        EXPECT_TRUE(covers(list, "hub.EXAMPLE.com")) << list;
        EXPECT_TRUE(covers(list, "hub.example.com.")) << list;
        EXPECT_FALSE(covers(list, "hubexample.com")) << list;
        EXPECT_FALSE(covers(list, "example.com.org")) << list;
        EXPECT_FALSE(covers(list, "com")) << list;
    }
    EXPECT_FALSE(covers(".", "hub.example.com"));
    EXPECT_FALSE(covers("example.com:443", "example.com"));
}

TEST(NoProxy, AddressesCoverThemselvesOnly) {
    EXPECT_TRUE(covers("10.1.2.3", "10.1.2.3"));
    EXPECT_FALSE(covers("1.2.3", "10.1.2.3"));
    EXPECT_FALSE(covers("10.1.2.3", "110.1.2.3"));
    EXPECT_TRUE(covers("2001:db8::1", "2001:DB8:0::1"));
    EXPECT_TRUE(covers("[2001:db8::1]", "2001:db8::1"));
    EXPECT_FALSE(covers("::1", "127.0.0.1"));
}

TEST(NoProxy, BlocksCoverTheirAddresses) {
    EXPECT_TRUE(covers("10.0.0.0/8", "10.255.0.1"));
    EXPECT_FALSE(covers("10.0.0.0/8", "11.0.0.1"));
    EXPECT_TRUE(covers("192.168.4.0/22", "192.168.7.9"));
    EXPECT_FALSE(covers("192.168.4.0/22", "192.168.8.1"));
    EXPECT_TRUE(covers("2001:db8::/33", "2001:db8:7fff::1"));
    EXPECT_FALSE(covers("2001:db8::/33", "2001:db8:8000::1"));
    EXPECT_TRUE(covers("0.0.0.0/0", "203.0.113.7"));
    EXPECT_FALSE(covers("0.0.0.0/0", "::1"));
    EXPECT_FALSE(covers("10.0.0.0/8", "ten.example.com"));
}

TEST(NoProxy, MalformedEntriesCoverNothing) {
    for (const auto* list : {"10.0.0.0/", "10.0.0.0/x", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "/8", "10.0.0.0/8/8"})
        EXPECT_FALSE(covers(list, "10.0.0.1")) << list;
}

}  // namespace
}  // namespace device_streams
