#include "hub/http/identity_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace device_streams::hub::identity_json_test {
namespace {

using iothub::Target;
using nlohmann::json;

const Target pump{"pump-17", {}};
const Target tunnel{"pump-17", "tunnel"};
constexpr const char* key_1 = "MDEyMzQ1Njc4OWFiY2RlZg==";  // of 16 bytes, the least
constexpr const char* key_2 = "ZmVkY2JhOTg3NjU0MzIxMA==";
const std::string sha1(40, 'a');
const std::string sha256(64, 'B');

std::string keys(const std::string& primary, const std::string& secondary) {
    return R"({"authentication":{"type":"sas","symmetricKey":{"primaryKey":")" + primary + R"(","secondaryKey":")" +
           secondary + R"("}}})";
}
std::string thumbprints(const std::string& primary, const std::string& secondary, const std::string& type) {
    return R"({"authentication":{)" + type + R"("x509Thumbprint":{"primaryThumbprint":)" + primary +
           R"(,"secondaryThumbprint":)" + secondary + "}}}";
}
std::string fault_of(const std::string& body, const Target& target = pump) {
    try {
        parse_description(body, target);
    } catch (const BadDescription& bad) {
        return bad.what();
    }
    return "none";
}

TEST(ParseDescription, MakesKeysForADeviceOfWhichNothingIsSaid) {
    const auto first = parse_description("{}", pump), second = parse_description("{}", pump);
    EXPECT_EQ(first.enabled, true);
    EXPECT_EQ(first.status_reason, "");
    const auto* made = std::get_if<KeyPair>(&first.authentication);
    ASSERT_TRUE(made);
    EXPECT_EQ(made->primary.reveal().size(), 44U);
    EXPECT_FALSE(made->primary == made->secondary);
    EXPECT_FALSE(first.authentication == second.authentication);
}

TEST(ParseDescription, MakesKeysWhereBothAreEmptyOrNull) {
    for (const auto& body : {keys("", ""), std::string(R"({"authentication":{"type":"sas","symmetricKey":null}})"),
                             std::string(R"({"authentication":null})"),
                             std::string(R"({"authentication":{"symmetricKey":{"primaryKey":null}}})")}) {
        const auto description = parse_description(body, pump);
        const auto* made = std::get_if<KeyPair>(&description.authentication);
        ASSERT_TRUE(made) << body;
        EXPECT_EQ(made->secondary.reveal().size(), 44U) << body;
    }
}

TEST(ParseDescription, TakesKeys) {
    const auto description = parse_description(keys(key_1, key_2), pump);
    EXPECT_EQ(description.authentication, Authentication(KeyPair{Secret(key_1), Secret(key_2)}));
}

TEST(ParseDescription, TakesThumbprintsInAnySpelling) {
    const auto colons = "\"" + std::string("aa:").append(38, 'a') + "\"";
    const auto description = parse_description(thumbprints(colons, "null", R"("type":"SelfSigned",)"), pump);
    EXPECT_EQ(description.authentication, Authentication(Thumbprints{std::string(40, 'A'), ""}));
}

TEST(ParseDescription, TakesThumbprintsWithoutATypeForSelfSigned) {
    const auto description = parse_description(thumbprints("null", "\"" + sha256 + "\"", ""), pump);
    EXPECT_EQ(description.authentication, Authentication(Thumbprints{"", sha256}));
}

TEST(ParseDescription, TakesACertificateAuthority) {
    const auto description = parse_description(R"({"authentication":{"type":"certificateAuthority"}})", pump);
    EXPECT_EQ(description.authentication, Authentication(CertificateAuthority{}));
}

TEST(ParseDescription, TakesStatusAndReason) {
    const auto description = parse_description(R"({"status":"Disabled","statusReason":"in repair"})", pump);
    EXPECT_EQ(description.enabled, false);
    EXPECT_EQ(description.status_reason, "in repair");
}

TEST(ParseDescription, LeavesTheStatusOfAModule) {
    const auto description = parse_description(R"({"moduleId":"tunnel","status":"disabled"})", tunnel);
    EXPECT_EQ(description.enabled, std::nullopt);
}

TEST(ParseDescription, IgnoresWhatOnlyTheHubSetsAndWhatItDoesNotKnow) {
    EXPECT_EQ(fault_of(R"({"deviceId":"pump-17","etag":7,"generationId":null,"connectionState":[],"lastActivityTime":{},
                          "cloudToDeviceMessageCount":"0","capabilities":{"iotEdge":false,"x":1},"tags":{"a":[1]}})"),
              "none");
}

TEST(ParseDescription, NamesTheMemberThatIsWrong) {
    const std::string no_key = "must be the base64 text of 16 to 64 bytes";
    const std::string primary = "authentication.symmetricKey.primaryKey: ";
    EXPECT_EQ(fault_of(keys("short", key_2)), primary + no_key);
    EXPECT_EQ(fault_of(keys(key_1, "")), "authentication.symmetricKey.secondaryKey: " + no_key);
    EXPECT_EQ(fault_of(keys("MDEyMzQ1Njc4OWFiY2Rl", key_2)), primary + no_key);                     // 15 bytes
    EXPECT_EQ(fault_of(keys(std::string(88, 'A'), key_2)), primary + no_key);                       // 66 bytes
    EXPECT_EQ(fault_of(keys(std::string(85, 'A') + "g==", std::string(85, 'A') + "g==")), "none");  // 64 bytes
    EXPECT_EQ(fault_of(R"({"authentication":[]})"), "authentication: must be an object");
    EXPECT_EQ(fault_of(R"({"authentication":{"type":1}})"), "authentication.type: must be a string");
    EXPECT_EQ(fault_of(R"({"authentication":{"type":"none"}})"),
              "authentication.type: must be sas, selfSigned or certificateAuthority");
    EXPECT_EQ(fault_of(R"({"authentication":{"symmetricKey":{"primaryKey":7}}})"), primary + "must be a string");
    EXPECT_EQ(fault_of(R"({"status":"asleep"})"), "status: must be enabled or disabled");
    EXPECT_EQ(fault_of(R"({"status":true})"), "status: must be a string");
    EXPECT_EQ(fault_of(R"({"deviceId":"pump-18"})"), "deviceId: must be the one of the path");
    EXPECT_EQ(fault_of(R"({"moduleId":"other"})", tunnel), "moduleId: must be the one of the path");
    EXPECT_EQ(fault_of(R"({"moduleId":"tunnel"})"), "moduleId: must be the one of the path");
    EXPECT_EQ(fault_of(R"({"capabilities":{"iotEdge":1}})"), "capabilities.iotEdge: must be true or false");
    EXPECT_EQ(fault_of(R"({"capabilities":{"iotEdge":true}})"), "capabilities.iotEdge: is not served here");
    EXPECT_EQ(fault_of(R"({"statusReason":")" + std::string(129, 'a') + "\"}"), "statusReason: may have 128 bytes");
}

TEST(ParseDescription, WantsAThumbprintOfSelfSignedOnes) {
    const std::string place = "authentication.x509Thumbprint: ";
    EXPECT_THAT(fault_of(R"({"authentication":{"type":"selfSigned"}})"), testing::StartsWith(place));
    EXPECT_THAT(fault_of(thumbprints("\"abc\"", "null", "")), testing::StartsWith(place));
}

TEST(ParseDescription, RefusesWhatIsNoObject) {
    for (const char* body : {"", "null", "[]", "7", "{", "{}{}", "{\"a\":}", "{\"a\":\"\xff\"}", "\xef\xbb\xbf{]"})
        EXPECT_EQ(fault_of(body), "the body is no JSON object") << body;
}

TEST(ParseDescription, SurvivesDeepNesting) {
    const std::string deep = "{\"x\":" + std::string(50'000, '[') + std::string(50'000, ']') + "}";
    EXPECT_EQ(fault_of(deep), "none");
}

Identity identity(const Target& target, Authentication authentication) {
    Identity made;
    made.target = target;
    made.authentication = std::move(authentication);
    made.generation = "g1";
    made.etag = "e1";
    return made;
}

TEST(IdentityJson, HasThePublishedMembersOfADevice) {
    auto disabled = identity(pump, KeyPair{Secret(key_1), Secret(key_2)});
    disabled.enabled = false;
    disabled.status_reason = "in repair";
    disabled.status_changed = "2026-01-05T10:00:30Z";
    EXPECT_EQ(json::parse(identity_json(disabled, true)), json::parse(R"({
        "deviceId": "pump-17", "generationId": "g1", "etag": "e1", "connectionState": "Connected",
        "status": "disabled", "statusReason": "in repair", "statusUpdatedTime": "2026-01-05T10:00:30Z",
        "connectionStateUpdatedTime": "0001-01-01T00:00:00Z", "lastActivityTime": "0001-01-01T00:00:00Z",
        "cloudToDeviceMessageCount": 0, "capabilities": {"iotEdge": false},
        "authentication": {"type": "sas", "x509Thumbprint": {"primaryThumbprint": null, "secondaryThumbprint": null},
            "symmetricKey": {"primaryKey": "MDEyMzQ1Njc4OWFiY2RlZg==", "secondaryKey": "ZmVkY2JhOTg3NjU0MzIxMA=="}}})"));
}

TEST(IdentityJson, HasThePublishedMembersOfAModule) {
    EXPECT_EQ(json::parse(identity_json(identity(tunnel, CertificateAuthority{}), false)), json::parse(R"({
        "deviceId": "pump-17", "moduleId": "tunnel", "managedBy": null, "generationId": "g1", "etag": "e1",
        "connectionState": "Disconnected", "connectionStateUpdatedTime": "0001-01-01T00:00:00Z",
        "lastActivityTime": "0001-01-01T00:00:00Z", "cloudToDeviceMessageCount": 0,
        "authentication": {"type": "certificateAuthority",
            "x509Thumbprint": {"primaryThumbprint": null, "secondaryThumbprint": null},
            "symmetricKey": {"primaryKey": null, "secondaryKey": null}}})"));
}

TEST(IdentityJson, SaysNothingForAnEnabledDeviceThatHasNoReason) {
    const auto text = json::parse(identity_json(identity(pump, Thumbprints{sha1, ""}), false));
    EXPECT_EQ(text["status"], "enabled");
    EXPECT_TRUE(text["statusReason"].is_null());
    EXPECT_EQ(text["statusUpdatedTime"], "0001-01-01T00:00:00Z");
    EXPECT_EQ(text["authentication"]["x509Thumbprint"]["primaryThumbprint"], sha1);
}

TEST(IdentityJson, ListsWithTheStateOfEach) {
    const std::vector all{identity(pump, CertificateAuthority{}), identity({"pump-18", {}}, CertificateAuthority{})};
    const auto list = json::parse(identities_json(all, {{"pump-18", {}}}));
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[0]["connectionState"], "Disconnected");
    EXPECT_EQ(list[1]["connectionState"], "Connected");
    EXPECT_EQ(identities_json({}, {}), "[]");
}

TEST(IdentityJson, IsReadBackAsItWas) {
    for (const Authentication& authentication :
         {Authentication(KeyPair{Secret(key_1), Secret(key_2)}),
          Authentication(Thumbprints{sha256, std::string(40, 'C')}), Authentication(CertificateAuthority{})}) {
        const auto description = parse_description(identity_json(identity(pump, authentication), true), pump);
        EXPECT_EQ(description.authentication, authentication);
    }
}

}  // namespace
}  // namespace device_streams::hub::identity_json_test
