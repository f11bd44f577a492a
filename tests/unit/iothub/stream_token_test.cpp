#include "common/iothub/stream_token.hpp"

#include "common/base/error.hpp"
#include "common/base/hmac.hpp"
#include "common/text/base64.hpp"
#include "tests/unit/iothub/test_keys.hpp"

#include <gtest/gtest.h>

namespace device_streams::iothub {
namespace {

using vectors::streaming_key;

StreamClaims claims(StreamRole role) {
    return {.expiry = vectors::expiry,
            .token_id = "q7mK2v0cT1y6eYbJ3nZrXw",
            .hub = "hub1",
            .device_id = "dev-01",
            .module_id = {},
            .stream_id = "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
            .role = role};
}

// A token that the key really signed, whatever it says.
std::string signed_token(std::string_view header, std::string_view payload) {
    const auto text = base64url_encode(header) + "." + base64url_encode(payload);
    return text + "." + base64url_encode(hmac_sha256(streaming_key, text));
}
constexpr const char* good_header = R"({"typ":"JWT","alg":"HS256"})";

TEST(StreamToken, IsMadeAsInTheWireProtocol) {
    EXPECT_EQ(make_stream_token(claims(StreamRole::device), streaming_key).reveal(), vectors::device_stream_token);
    EXPECT_EQ(make_stream_token(claims(StreamRole::service), streaming_key).reveal(), vectors::service_stream_token);
}

TEST(StreamToken, OfTheWireProtocolVerifies) {
    EXPECT_EQ(verify_stream_token(vectors::device_stream_token, streaming_key), claims(StreamRole::device));
    EXPECT_EQ(verify_stream_token(vectors::service_stream_token, streaming_key), claims(StreamRole::service));
}

TEST(StreamToken, CarriesAModuleAfterTheDevice) {
    auto for_module = claims(StreamRole::device);
    for_module.module_id = "tunnel";
    const auto token = make_stream_token(for_module, streaming_key);
    EXPECT_EQ(verify_stream_token(token.reveal(), streaming_key), for_module);
    const auto payload = base64url_decode(token.reveal().substr(37, token.reveal().rfind('.') - 37));
    ASSERT_TRUE(payload);
    EXPECT_NE(payload->find(R"("deviceId":"dev-01","moduleId":"tunnel","sid")"), std::string::npos) << *payload;
}

TEST(StreamToken, StaysBelowTheBufferOfTheCSdk) {
    auto longest = claims(StreamRole::service);
    longest.hub = std::string(63, 'h');
    longest.device_id = std::string(128, '\'');
    longest.module_id = std::string(128, '\'');
    longest.token_id = std::string(43, 'x');
    EXPECT_LE(make_stream_token(longest, streaming_key).reveal().size(), 1000U);
}

TEST(StreamToken, FailsWithAnyCharacterChanged) {
    const std::string whole = vectors::device_stream_token;
    for (std::size_t i = 0; i < whole.size(); ++i) {
        auto changed = whole;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(verify_stream_token(changed, streaming_key)) << i;
    }
}

TEST(StreamToken, FailsTruncatedAnywhere) {
    const std::string_view whole = vectors::device_stream_token;
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_FALSE(verify_stream_token(whole.substr(0, size), streaming_key)) << size;
}

TEST(StreamToken, FailsWithAnotherKey) {
    EXPECT_FALSE(verify_stream_token(vectors::device_stream_token, Secret("streaming-endpoint-signing-key-1")));
    EXPECT_FALSE(verify_stream_token(vectors::device_stream_token, Secret()));
}

TEST(StreamToken, IsNeverMadeWithoutAKey) {
    EXPECT_THROW(make_stream_token(claims(StreamRole::device), Secret()), Failure);
}

TEST(StreamToken, WithAnotherAlgorithmFailsEvenIfSigned) {
    const std::string payload = R"({"exp":1,"jti":"x","iothub":"h","deviceId":"d","sid":"s","role":"device"})";
    EXPECT_TRUE(verify_stream_token(signed_token(good_header, payload), streaming_key));
    EXPECT_FALSE(verify_stream_token(signed_token(R"({"typ":"JWT","alg":"none"})", payload), streaming_key));
    EXPECT_FALSE(verify_stream_token(signed_token(R"({"typ":"JWT","alg":"HS512"})", payload), streaming_key));
    EXPECT_FALSE(verify_stream_token(signed_token("{}", payload), streaming_key));
}

TEST(StreamToken, WithoutASignatureFails) {
    const std::string whole = vectors::device_stream_token;
    EXPECT_FALSE(verify_stream_token(whole.substr(0, whole.rfind('.') + 1), streaming_key));
    EXPECT_FALSE(verify_stream_token(whole.substr(0, whole.rfind('.')), streaming_key));
}

TEST(StreamToken, WithClaimsMissingOrOfTheWrongTypeFailsEvenIfSigned) {
    for (const auto* payload : {
             "",
             "null",
             "[]",
             "{",
             "\"x\"",
             "{}",
             R"({"jti":"x","iothub":"h","deviceId":"d","sid":"s","role":"device"})",
             R"({"exp":"1","jti":"x","iothub":"h","deviceId":"d","sid":"s","role":"device"})",
             R"({"exp":1.5,"jti":"x","iothub":"h","deviceId":"d","sid":"s","role":"device"})",
             R"({"exp":1,"iothub":"h","deviceId":"d","sid":"s","role":"device"})",
             R"({"exp":1,"jti":7,"iothub":"h","deviceId":"d","sid":"s","role":"device"})",
             R"({"exp":1,"jti":"x","deviceId":"d","sid":"s","role":"device"})",
             R"({"exp":1,"jti":"x","iothub":"h","sid":"s","role":"device"})",
             R"({"exp":1,"jti":"x","iothub":"h","deviceId":"d","role":"device"})",
             R"({"exp":1,"jti":"x","iothub":"h","deviceId":"d","sid":"s"})",
             R"({"exp":1,"jti":"x","iothub":"h","deviceId":"d","sid":"s","role":"owner"})",
             R"({"exp":1,"jti":"x","iothub":"h","deviceId":"d","sid":"s","role":"device"} )"
             "\xff",
         })
        EXPECT_FALSE(verify_stream_token(signed_token(good_header, payload), streaming_key)) << payload;
}

}  // namespace
}  // namespace device_streams::iothub
