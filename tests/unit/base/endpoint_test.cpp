#include "common/base/endpoint.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

TEST(Endpoint, ParsesAndPrintsAllForms) {
    for (const auto* text :
         {"localhost:22", "127.0.0.1:0", "[::1]:443", "[fe80::1%eth0]:65535", "unix:/run/x.sock", "unix:x"}) {
        const auto endpoint = parse_endpoint(text);
        ASSERT_TRUE(endpoint) << text;
        EXPECT_EQ(endpoint->to_string(), text);
    }
}

TEST(Endpoint, KeepsIpv6WithoutBrackets) {
    const auto endpoint = parse_endpoint("[::1]:443");
    ASSERT_TRUE(endpoint);
    EXPECT_EQ(endpoint->host, "::1");
    EXPECT_EQ(endpoint->port, 443);
    EXPECT_FALSE(endpoint->is_unix());
}

TEST(Endpoint, RefusesEverythingElse) {
    for (const auto* text :
         {"", "localhost", "localhost:", ":22", "localhost:65536", "localhost:-1", "localhost:+1", "localhost:2x",
          "::1:22", "[]:22", "[::1]22", "[::1", "a b:22", "host/path:22", "unix:", "host: 22"})
        EXPECT_FALSE(parse_endpoint(text)) << text;
}

TEST(Endpoint, UnixPathFitsSockaddr) {
    EXPECT_TRUE(parse_endpoint("unix:" + std::string(107, 'x')));
    EXPECT_FALSE(parse_endpoint("unix:" + std::string(108, 'x')));
}

}  // namespace
}  // namespace device_streams
