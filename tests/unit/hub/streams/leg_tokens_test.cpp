#include "hub/streams/leg_tokens.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace device_streams::hub {
namespace {

using iothub::StreamRole;

class LegTicketsTest : public testing::Test {
 protected:
    LegGrant leg_grant(StreamRole role = StreamRole::device) const {
        return leg_tokens.make(address, target, stream, role, expiry);
    }
    static std::string path_of(const LegGrant& leg_grant) {
        return iothub::parse_stream_url(leg_grant.url).value().target;
    }
    static std::string bearer(const LegGrant& leg_grant) { return "Bearer " + std::string(leg_grant.token.reveal()); }

    const LegTokens leg_tokens{"hub1", Secret("streaming-endpoint-signing-key-0")};
    const PublicAddress address{"streams.iot.example", 443};
    const iothub::Target target{"dev-01", {}};
    const std::string stream = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
    static constexpr std::int64_t expiry = 1'893'456'000;
};

TEST_F(LegTicketsTest, UrlHasAnExplicitPortAlsoForTheDefault) {
    EXPECT_EQ(leg_grant().url,
              "wss://streams.iot.example:443/bridges/ih/hub1/d/dev-01/sid/0f1e2d3c4b5a69788796a5b4c3d2e1f0/r/device");
}

TEST_F(LegTicketsTest, ModuleStandsInTheUrl) {
    const auto made = leg_tokens.make(address, {"dev-01", "tunnel"}, stream, StreamRole::service, expiry);
    EXPECT_TRUE(path_of(made).starts_with("/bridges/ih/hub1/d/dev-01/m/tunnel/sid/")) << made.url;
    const auto checked = leg_tokens.check(path_of(made), bearer(made), expiry);
    ASSERT_TRUE(checked);
    EXPECT_EQ(checked->target, (iothub::Target{"dev-01", "tunnel"}));
}

TEST_F(LegTicketsTest, TokenFitsTheBufferOfTheCSample) {
    const iothub::Target longest{std::string(128, '#'), std::string(128, '#')};
    const auto made = leg_tokens.make(address, longest, stream, StreamRole::service, expiry);
    EXPECT_LE(made.token.reveal().size(), 1000u);
    EXPECT_LT(path_of(made).size(), 1023u);
    EXPECT_TRUE(leg_tokens.check(path_of(made), bearer(made), 0));
}

TEST_F(LegTicketsTest, GoodTicketNamesStreamAndRole) {
    for (const auto role : {StreamRole::device, StreamRole::service}) {
        const auto made = leg_grant(role);
        const auto checked = leg_tokens.check(path_of(made), bearer(made), expiry);
        ASSERT_TRUE(checked);
        EXPECT_EQ(checked->stream_id, stream);
        EXPECT_EQ(checked->target, target);
        EXPECT_EQ(checked->role, role);
    }
}

TEST_F(LegTicketsTest, UnknownQueryIsIgnored) {
    const auto made = leg_grant();
    EXPECT_TRUE(leg_tokens.check(path_of(made) + "?api-version=x&y=1", bearer(made), expiry));
}

TEST_F(LegTicketsTest, ExpiredTokenIsRefused) {
    const auto made = leg_grant();
    EXPECT_FALSE(leg_tokens.check(path_of(made), bearer(made), expiry + 1));
}

TEST_F(LegTicketsTest, TokenOfTheOtherRoleIsRefused) {
    EXPECT_FALSE(leg_tokens.check(path_of(leg_grant(StreamRole::service)), bearer(leg_grant(StreamRole::device)), 0));
}

TEST_F(LegTicketsTest, TokenOfAnotherStreamIsRefused) {
    const auto other = leg_tokens.make(address, target, "00000000000000000000000000000000", StreamRole::device, expiry);
    EXPECT_FALSE(leg_tokens.check(path_of(other), bearer(leg_grant()), 0));
}

TEST_F(LegTicketsTest, TokenOfAnotherDeviceIsRefused) {
    const auto other = leg_tokens.make(address, {"dev-02", {}}, stream, StreamRole::device, expiry);
    EXPECT_FALSE(leg_tokens.check(path_of(other), bearer(leg_grant()), 0));
}

TEST_F(LegTicketsTest, TokenOfAnotherHubIsRefused) {
    const LegTokens other("hub2", Secret("streaming-endpoint-signing-key-0"));
    const auto made = other.make(address, target, stream, StreamRole::device, expiry);
    EXPECT_FALSE(leg_tokens.check(path_of(made), bearer(made), 0));
}

TEST_F(LegTicketsTest, ForeignSignatureIsRefused) {
    const LegTokens other("hub1", Secret("another-key"));
    const auto made = other.make(address, target, stream, StreamRole::device, expiry);
    EXPECT_FALSE(leg_tokens.check(path_of(made), bearer(made), 0));
}

TEST_F(LegTicketsTest, MissingOrMalformedAuthorizationIsRefused) {
    const auto made = leg_grant();
    const std::string token(made.token.reveal());
    for (const std::string& header : {std::string(), std::string("Bearer"), std::string("Bearer "), token,
                                      "Basic " + token, "Bearer " + token + "x", "Bearer x" + token})
        EXPECT_FALSE(leg_tokens.check(path_of(made), header, 0)) << header.substr(0, 8);
    EXPECT_TRUE(leg_tokens.check(path_of(made), "bearer " + token, 0));
}

TEST_F(LegTicketsTest, OtherPathsAreRefused) {
    EXPECT_FALSE(leg_tokens.check("/bridges/", bearer(leg_grant()), 0));
}

}  // namespace
}  // namespace device_streams::hub
