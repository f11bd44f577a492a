#include "hub/audit/resource_record.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace device_streams::hub {
namespace {

using namespace std::chrono_literals;

const auto when = Clock::wall_time(std::chrono::seconds(1'767'607'200));  // 2026-01-05T10:00:00Z

StreamDecision decision() {
    return {.target = {"dev-01", {}},
            .name = "ssh-1",
            .stream_id = "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
            .api_version = "2020-09-30",
            .took = 12ms};
}
LinkParty party() {
    return {.target = {"dev-01", {}}, .peer = "203.0.113.7:4711", .api_version = "2020-09-30"};
}
nlohmann::json parsed(const ResourceRecord& record) {
    return nlohmann::json::parse(resource_line(record, "hub1", when));
}
nlohmann::json properties_of(const nlohmann::json& record) {
    return nlohmann::json::parse(record.at("properties").get<std::string>());
}

// The example of docs/protocol.md 9, with our own streamId.
TEST(ResourceRecord, DenialHasThePublishedShape) {
    auto denied = decision();
    denied.stream_id.clear();
    denied.error = iothub::RestError::gateway_timeout;
    denied.took = 30'004ms;
    EXPECT_EQ(resource_line(denied, "hub1", when),
              R"({"time":"2026-01-05T10:00:00Z","resourceId":"/HUBS/HUB1","operationName":"invoke",)"
              R"("category":"DeviceStreams","resultType":"504101","resultDescription":"GatewayTimeout",)"
              R"("level":"Error","durationMs":"30004","properties":"{\"deviceId\":\"dev-01\",\"moduleId\":null,)"
              R"(\"sdkVersion\":\"2020-09-30\",\"requestSize\":\"0\",\"responseSize\":\"0\",\"statusCode\":\"504\",)"
              R"(\"requestName\":\"ssh-1\",\"direction\":\"c2d\",\"streamId\":null}","location":"local"})"
              "\n");
}

TEST(ResourceRecord, GrantHasNoErrorAndNamesTheStream) {
    const auto record = parsed(decision());
    EXPECT_EQ(record.at("resultType"), "");
    EXPECT_EQ(record.at("resultDescription"), "");
    EXPECT_EQ(record.at("level"), "Information");
    EXPECT_TRUE(properties_of(record).at("statusCode").is_null());
    EXPECT_EQ(properties_of(record).at("streamId"), "0f1e2d3c4b5a69788796a5b4c3d2e1f0");
}

TEST(ResourceRecord, RejectionByTheDeviceIsNoErrorOfTheHub) {
    auto rejected = decision();
    rejected.result = "Rejected";
    EXPECT_EQ(parsed(rejected).at("resultDescription"), "Rejected");
    EXPECT_EQ(parsed(rejected).at("level"), "Information");
}

TEST(ResourceRecord, StreamEndHasBytesDurationAndReason) {
    const StreamEnd end{.target = {"dev-01", "tunnel"},
                        .name = "ssh-1",
                        .stream_id = "0f",
                        .bytes_to_device = 5,
                        .bytes_to_service = 12'000'000'000,
                        .life = 61s,
                        .reason = "closed by the service"};
    const auto record = parsed(end);
    EXPECT_EQ(record.at("category"), "DeviceStreams");
    EXPECT_EQ(record.at("operationName"), "streamEnd");
    EXPECT_EQ(record.at("durationMs"), "61000");
    EXPECT_EQ(record.at("resultType"), "");
    EXPECT_EQ(record.at("level"), "Information");
    const auto properties = properties_of(record);
    EXPECT_EQ(properties.at("moduleId"), "tunnel");
    EXPECT_EQ(properties.at("requestSize"), "5");
    EXPECT_EQ(properties.at("responseSize"), "12000000000");
    EXPECT_EQ(properties.at("closeReason"), "closed by the service");
    EXPECT_EQ(properties.at("streamId"), "0f");
}

TEST(ResourceRecord, StreamThatEndedBadlySaysHowInTheMannerOfAzure) {
    const auto record = parsed(StreamEnd{.target = {"dev-01", ""},
                                         .name = "ssh-1",
                                         .stream_id = "0f",
                                         .reason = "x",
                                         .fault = result_types::closed_by_device});
    EXPECT_EQ(record.at("resultType"), "404104");
    EXPECT_EQ(record.at("resultDescription"), "DeviceConnectionClosedRemotely");
    EXPECT_EQ(record.at("level"), "Error");
}

TEST(ResourceRecord, ConnectNamesProtocolCredentialAndHalfTheAddress) {
    auto by_gateway = party();
    by_gateway.protocol = LinkProtocol::mqtt_websocket;
    by_gateway.login = Credential::Kind::policy_key;
    const auto record = parsed(LinkUp{by_gateway});
    EXPECT_EQ(record.at("category"), "Connections");
    EXPECT_EQ(record.at("operationName"), "deviceConnect");
    EXPECT_EQ(record.at("level"), "Information");
    const auto properties = properties_of(record);
    EXPECT_EQ(properties.at("protocol"), "MqttWs");
    EXPECT_EQ(properties.at("authType"), R"({"scope":"hub","type":"sas","issuer":"iothub"})");
    EXPECT_EQ(properties.at("maskedIpAddress"), "203.0.113.XXX");
    EXPECT_EQ(properties_of(parsed(LinkUp{party()})).at("protocol"), "Mqtt");
    auto by_certificate = party();
    by_certificate.login = Credential::Kind::certificate;
    EXPECT_EQ(properties_of(parsed(LinkUp{by_certificate})).at("authType"),
              R"({"scope":"device","type":"x509Certificate","issuer":"external"})");
}

TEST(ResourceRecord, RefusedLoginIsAnError) {
    const auto record = parsed(LinkUp{party(), result_types::unauthorized});
    EXPECT_EQ(record.at("resultType"), "401003");
    EXPECT_EQ(record.at("resultDescription"), "IoTHubUnauthorized");
    EXPECT_EQ(record.at("level"), "Error");
}

TEST(ResourceRecord, DisconnectTellsWhyAndHowLong) {
    const auto record = parsed(LinkDown{party(), 90s, result_types::taken_over});
    EXPECT_EQ(record.at("operationName"), "deviceDisconnect");
    EXPECT_EQ(record.at("resultType"), "400027");
    EXPECT_EQ(record.at("durationMs"), "90000");
    EXPECT_EQ(parsed(LinkDown{party(), 90s}).at("level"), "Information");
}

TEST(ResourceRecord, WhatPeersChooseStaysWithinItsLine) {
    auto strange = party();
    strange.api_version = "\xff\r\n\"},{" + std::string(1000, 'x');
    const auto line = resource_line(LinkUp{strange}, "hub1", when);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_LT(line.size(), 800u);
    EXPECT_TRUE(properties_of(nlohmann::json::parse(line)).at("sdkVersion").is_string());
}

TEST(MaskedAddress, HidesTheLastPart) {
    EXPECT_EQ(masked_address("203.0.113.7:4711"), "203.0.113.XXX");
    EXPECT_EQ(masked_address("[2001:db8::7]:4711"), "2001:db8::XXX");
    EXPECT_EQ(masked_address("[::ffff:203.0.113.7]:4711"), "::ffff:203.0.113.XXX");
    EXPECT_EQ(masked_address("unix"), "XXX");
}

}  // namespace
}  // namespace device_streams::hub
