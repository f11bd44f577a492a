#include "common/iothub/stream_request.hpp"

#include <gtest/gtest.h>

namespace device_streams::iothub {
namespace {

TEST(MqttUserName, OfADeviceIsReadAndWritten) {
    const std::string text = "hub1.iot.example/dev-01/?api-version=2020-09-30";
    const auto user = parse_mqtt_user_name(text, false);
    ASSERT_TRUE(user);
    EXPECT_EQ(user->host, "hub1.iot.example");
    EXPECT_EQ(user->target, (Target{.device_id = "dev-01", .module_id = {}}));
    EXPECT_EQ(user->api_version, "2020-09-30");
    EXPECT_EQ(user->client_type, "");
    EXPECT_EQ(mqtt_user_name(*user), text);
}

TEST(MqttUserName, OfAModuleIsReadAndWritten) {
    const std::string text = "hub1.iot.example/dev-01/tunnel/?api-version=x&DeviceClientType=a%20b%3Bc";
    const auto user = parse_mqtt_user_name(text, true);
    ASSERT_TRUE(user);
    EXPECT_EQ(user->target, (Target{.device_id = "dev-01", .module_id = "tunnel"}));
    EXPECT_EQ(user->client_type, "a b;c");
    EXPECT_EQ(mqtt_user_name(*user), text);
}

TEST(MqttUserName, OfOlderClientsHasNoQuestionMark) {
    const auto user = parse_mqtt_user_name("h.example/dev-01/DeviceClientType=py%2F1&api-version=2016-11-14", false);
    ASSERT_TRUE(user);
    EXPECT_EQ(user->api_version, "2016-11-14");
    EXPECT_EQ(user->client_type, "py/1");
}

TEST(MqttUserName, MayEndAfterTheIds) {
    EXPECT_EQ(parse_mqtt_user_name("h.example/dev-01", false)->target.device_id, "dev-01");
    EXPECT_EQ(parse_mqtt_user_name("h.example/dev-01/", false)->target.device_id, "dev-01");
    EXPECT_EQ(parse_mqtt_user_name("h.example/dev-01/tunnel", true)->target.module_id, "tunnel");
}

TEST(MqttUserName, TakesAwkwardIdsRaw) {
    const auto user = parse_mqtt_user_name("h.example/a?b=c%41/?api-version=1", false);
    ASSERT_TRUE(user);
    EXPECT_EQ(user->target.device_id, "a?b=c%41");
    EXPECT_EQ(user->api_version, "1");
}

bool names(const char* text, const Target& target) {
    const auto user = parse_mqtt_user_name(text, !target.module_id.empty());
    return user && is_of(*user, target);
}

TEST(MqttUserName, NamesAnIdentityAsItStandsOrDecodedOnce) {
    EXPECT_TRUE(names("h/a@b/?api-version=1", {"a@b", ""}));
    EXPECT_TRUE(names("h/a%40b/?api-version=1", {"a@b", ""}));
    EXPECT_TRUE(names("h/a%40b/m%231/?api-version=1", {"a@b", "m#1"}));
    EXPECT_TRUE(names("h/a%40b/?api-version=1", {"a%40b", ""})) << "an id may look like an encoded one";
    EXPECT_FALSE(names("h/a%2540b/?api-version=1", {"a@b", ""})) << "not twice";
    EXPECT_FALSE(names("h/a%40b/?api-version=1", {"a@c", ""}));
    EXPECT_FALSE(names("h/a@b/m%231/?api-version=1", {"a@b", "m#2"}));
}

TEST(MqttUserName, EncodedIdMayBeLongerThanAnId) {
    std::string text = "h/";
    for (int i = 0; i < 128; ++i) text += "%40";
    EXPECT_TRUE(names((text + "/").c_str(), {std::string(128, '@'), ""}));
    EXPECT_FALSE(parse_mqtt_user_name("h/a%2fb%20c" + std::string(200, 'x'), false));
}

TEST(MqttUserName, OfTheProvisioningServiceIsKnown) {
    EXPECT_TRUE(
        is_provisioning_user_name("0ne0001/registrations/pump-17/api-version=2019-03-31&ClientVersion=x", "pump-17"));
    EXPECT_FALSE(is_provisioning_user_name("h.example/registrations/?api-version=1", "registrations"));
    EXPECT_FALSE(is_provisioning_user_name("h.example/registrations/m/?api-version=1", "registrations/m"));
    EXPECT_FALSE(is_provisioning_user_name("h.example/pump-17/?api-version=1", "pump-17"));
    EXPECT_FALSE(is_provisioning_user_name("", ""));
}

TEST(MqttUserName, IgnoresWhatItDoesNotKnow) {
    const auto user = parse_mqtt_user_name("h/d/?model-id=dtmi:x;1&junk&api-version=1&auth-chain=a/b;c&=", false);
    ASSERT_TRUE(user);
    EXPECT_EQ(user->api_version, "1");
}

TEST(MqttUserName, KeepsAClientTypeThatIsNotEncodedWell) {
    EXPECT_EQ(parse_mqtt_user_name("h/d/?DeviceClientType=100%/x", false)->client_type, "100%/x");
}

TEST(MqttUserName, IsRefusedWithoutHostOrIds) {
    EXPECT_FALSE(parse_mqtt_user_name("", false));
    EXPECT_FALSE(parse_mqtt_user_name("h", false));
    EXPECT_FALSE(parse_mqtt_user_name("h/", false));
    EXPECT_FALSE(parse_mqtt_user_name("/d/?api-version=1", false));
    EXPECT_FALSE(parse_mqtt_user_name("h//?api-version=1", false));
    EXPECT_FALSE(parse_mqtt_user_name("h/d", true));
    EXPECT_FALSE(parse_mqtt_user_name("h/d//", true));
    EXPECT_FALSE(parse_mqtt_user_name("h/a b/?api-version=1", false));
    EXPECT_FALSE(parse_mqtt_user_name("h/" + std::string(129, 'd') + "/?api-version=1", false));
}

}  // namespace
}  // namespace device_streams::iothub
