#include "hub/devices/device_session.hpp"

#include "common/text/percent.hpp"

#include <gtest/gtest.h>

namespace device_streams::hub {
namespace {

using namespace std::chrono_literals;

template <typename Action>
const Action* find(const SessionActions& actions) {
    for (const auto& action : actions)
        if (const auto* one = std::get_if<Action>(&action)) return one;
    return nullptr;
}

template <typename Packet>
std::optional<Packet> sent(const SessionActions& actions) {
    for (const auto& action : actions) {
        const auto* send = std::get_if<SendPacket>(&action);
        if (send == nullptr) continue;
        if (const auto* packet = std::get_if<Packet>(&send->packet)) return *packet;
    }
    return std::nullopt;
}

mqtt::Connect connect_packet() {
    mqtt::Connect packet;
    packet.client_id = "dev-01";
    packet.user_name = "hub1.iot.example/dev-01/?api-version=2020-09-30";
    packet.password = Secret("SharedAccessSignature sr=x");
    packet.keep_alive = 240;
    return packet;
}

mqtt::Publish answer(const std::string& topic, std::uint8_t qos = 0) {
    mqtt::Publish packet;
    packet.topic = topic;
    packet.qos = qos;
    packet.packet_id = qos == 0 ? 0 : 9;
    return packet;
}

class DeviceSessionTest : public testing::Test {
 protected:
    void bring_up(const mqtt::Connect& packet = connect_packet()) {
        session.received(packet);
        session.login_decided(ConnackCode::accepted);
        ASSERT_TRUE(session.is_up());
    }
    std::uint8_t turned_away_with(const mqtt::Connect& packet) {
        const auto actions = session.received(packet);
        EXPECT_NE(find<EndLink>(actions), nullptr);
        return sent<mqtt::ConnAck>(actions).value().code;
    }
    void expect_violation(const mqtt::Packet& packet) {
        const auto actions = session.received(packet);
        ASSERT_NE(find<EndLink>(actions), nullptr);
        EXPECT_EQ(find<EndLink>(actions)->fault, Errc::peer_garbage);
        EXPECT_EQ(actions.size(), 1u) << "nothing is said to a peer that breaks the protocol";
    }
    DeviceSession session;
};

// CONNECT.

TEST_F(DeviceSessionTest, ConnectAsksForTheLoginOfTheIdentity) {
    const auto actions = session.received(connect_packet());
    const auto* check = find<CheckLogin>(actions);
    ASSERT_NE(check, nullptr);
    EXPECT_EQ(check->login.target, (iothub::Target{"dev-01", {}}));
    EXPECT_EQ(check->login.password.reveal(), "SharedAccessSignature sr=x");
    EXPECT_EQ(check->login.announced, std::nullopt);
    EXPECT_EQ(sent<mqtt::ConnAck>(actions), std::nullopt) << "not before the login was checked";
}

TEST_F(DeviceSessionTest, ModuleIsNamedByClientId) {
    auto packet = connect_packet();
    packet.client_id = "dev-01/tunnel";
    packet.user_name = "hub1.iot.example/dev-01/tunnel/?api-version=2020-09-30";
    const auto actions = session.received(packet);
    EXPECT_EQ(find<CheckLogin>(actions)->login.target, (iothub::Target{"dev-01", "tunnel"}));
}

TEST_F(DeviceSessionTest, AnnouncedFeaturesAreRead) {
    auto packet = connect_packet();
    packet.user_name = "hub/dev-01/?api-version=2020-09-30&DeviceClientType=" +
                       percent_encode(announce("device-proxy/0.1.0", {own_features, "0123456789abcdef"}));
    const auto actions = session.received(packet);
    EXPECT_EQ(find<CheckLogin>(actions)->login.announced, (Announcement{own_features, "0123456789abcdef"}));
}

TEST_F(DeviceSessionTest, GoodLoginIsAcknowledgedWithoutSession) {
    session.received(connect_packet());
    const auto ack = sent<mqtt::ConnAck>(session.login_decided(ConnackCode::accepted));
    ASSERT_TRUE(ack);
    EXPECT_EQ(ack->code, 0);
    EXPECT_FALSE(ack->session_present);
}

TEST_F(DeviceSessionTest, RefusedLoginIsAnsweredWithFiveAndEnds) {
    session.received(connect_packet());
    const auto actions = session.login_decided(ConnackCode::refused);
    EXPECT_EQ(sent<mqtt::ConnAck>(actions).value().code, 5);
    EXPECT_EQ(find<EndLink>(actions)->fault, Errc::credential_refused);
}

TEST_F(DeviceSessionTest, BusyHubAnswersThree) {
    session.received(connect_packet());
    EXPECT_EQ(sent<mqtt::ConnAck>(session.login_decided(ConnackCode::busy)).value().code, 3);
}

TEST_F(DeviceSessionTest, OtherProtocolLevelIsAnsweredWithOne) {
    auto packet = connect_packet();
    packet.protocol_level = 5;
    EXPECT_EQ(turned_away_with(packet), 1);
}

TEST_F(DeviceSessionTest, BadClientIdIsAnsweredWithTwo) {
    auto packet = connect_packet();
    packet.client_id = "dev 01";
    EXPECT_EQ(turned_away_with(packet), 2);
}

TEST_F(DeviceSessionTest, ClientIdUnlikeUserNameIsAnsweredWithTwo) {
    auto packet = connect_packet();
    packet.client_id = "dev-02";
    EXPECT_EQ(turned_away_with(packet), 2);
}

TEST_F(DeviceSessionTest, EncodedIdInTheUserNameIsThatOfTheClientId) {
    auto packet = connect_packet();
    packet.client_id = "a@b/m#1";
    packet.user_name = "hub1.iot.example/a%40b/m%231/?api-version=2020-09-30";
    const auto actions = session.received(packet);
    ASSERT_NE(find<CheckLogin>(actions), nullptr);
    EXPECT_EQ(find<CheckLogin>(actions)->login.target, (iothub::Target{"a@b", "m#1"}));
}

TEST_F(DeviceSessionTest, ClientIdIsNotDecoded) {
    auto packet = connect_packet();
    packet.client_id = "a%40b";
    packet.user_name = "hub1.iot.example/a@b/?api-version=2020-09-30";
    EXPECT_EQ(turned_away_with(packet), 2);
}

TEST_F(DeviceSessionTest, LoginAtAProvisioningServiceHasACodeOfItsOwn) {
    auto packet = connect_packet();
    packet.user_name = "0ne0001/registrations/dev-01/api-version=2019-03-31";
    const auto actions = session.received(packet);
    EXPECT_EQ(sent<mqtt::ConnAck>(actions).value().code, 2);
    ASSERT_NE(find<EndLink>(actions), nullptr);
    EXPECT_EQ(find<EndLink>(actions)->fault, Errc::provisioning_not_served);
}

TEST_F(DeviceSessionTest, MissingOrMalformedUserNameIsAnsweredWithFour) {
    auto packet = connect_packet();
    packet.user_name.reset();
    EXPECT_EQ(turned_away_with(packet), 4);
    session = {};
    packet.user_name = "hub1.iot.example";
    EXPECT_EQ(turned_away_with(packet), 4);
}

TEST_F(DeviceSessionTest, UserNameOfOlderClientsWithoutQuestionMarkIsGood) {
    auto packet = connect_packet();
    packet.user_name = "hub1.iot.example/dev-01/DeviceClientType=py%2F1&api-version=2018-06-30";
    EXPECT_NE(find<CheckLogin>(session.received(packet)), nullptr);
}

TEST_F(DeviceSessionTest, HostOfUserNameDoesNotMatter) {
    auto packet = connect_packet();
    packet.user_name = "gateway.local/dev-01";
    EXPECT_NE(find<CheckLogin>(session.received(packet)), nullptr);
}

TEST_F(DeviceSessionTest, WillIsIgnored) {
    auto packet = connect_packet();
    packet.will = mqtt::Will{"devices/dev-01/messages/events/", {}, 1, false};
    EXPECT_NE(find<CheckLogin>(session.received(packet)), nullptr);
}

TEST_F(DeviceSessionTest, FirstPacketMustBeConnect) {
    expect_violation(mqtt::PingReq{});
}

TEST_F(DeviceSessionTest, SecondConnectIsAViolation) {
    bring_up();
    expect_violation(connect_packet());
}

TEST_F(DeviceSessionTest, PacketsOfServersAreAViolation) {
    bring_up();
    expect_violation(mqtt::SubAck{1, {0}});
}

TEST_F(DeviceSessionTest, NothingIsHeardAfterTheEnd) {
    bring_up();
    session.received(mqtt::Disconnect{});
    EXPECT_TRUE(session.received(mqtt::PingReq{}).empty());
}

// Keep-alive.

TEST_F(DeviceSessionTest, SilenceLimitIsOneAndAHalfKeepAlives) {
    bring_up();
    EXPECT_EQ(session.silence_limit(), 360s);
}

TEST_F(DeviceSessionTest, SilenceLimitIsCapped) {
    auto packet = connect_packet();
    packet.keep_alive = 1200;
    bring_up(packet);
    EXPECT_EQ(session.silence_limit(), 1767s);
}

TEST_F(DeviceSessionTest, KeepAliveZeroIsCappedToo) {
    auto packet = connect_packet();
    packet.keep_alive = 0;
    bring_up(packet);
    EXPECT_EQ(session.silence_limit(), 1767s);
}

TEST_F(DeviceSessionTest, PingIsAnswered) {
    bring_up();
    EXPECT_TRUE(sent<mqtt::PingResp>(session.received(mqtt::PingReq{})));
}

// SUBSCRIBE.

TEST_F(DeviceSessionTest, SubscribeOfTheCSdkIsAcknowledgedOnceAndStartsRequests) {
    bring_up();
    const auto actions = session.received(
        mqtt::Subscribe{2, {{std::string(iothub::request_filter), 0}, {std::string(iothub::answer_filter), 0}}});
    const auto ack = sent<mqtt::SubAck>(actions);
    ASSERT_TRUE(ack);
    EXPECT_EQ(ack->packet_id, 2);
    EXPECT_EQ(ack->codes, (std::vector<std::uint8_t>{0, 0}));
    ASSERT_EQ(actions.size(), 2u);
    EXPECT_TRUE(std::holds_alternative<StartRequests>(actions[1])) << "after its SUBACK";
}

TEST_F(DeviceSessionTest, OtherFiltersAreAcknowledgedAndStartNothing) {
    bring_up();
    for (const char* filter : {"$iothub/twin/res/#", "devices/dev-01/messages/devicebound/#", "$iothub/methods/POST/#",
                               "$iothub/twin/PATCH/properties/desired/#", "devices/dev-01/modules/m/#"}) {
        const auto actions = session.received(mqtt::Subscribe{3, {{filter, 0}}});
        EXPECT_EQ(sent<mqtt::SubAck>(actions).value().codes, std::vector<std::uint8_t>{0}) << filter;
        EXPECT_EQ(find<StartRequests>(actions), nullptr) << filter;
    }
}

TEST_F(DeviceSessionTest, QosAboveOneIsGrantedAsOne) {
    bring_up();
    const auto actions = session.received(mqtt::Subscribe{4, {{"$iothub/twin/res/#", 2}, {"a", 1}}});
    EXPECT_EQ(sent<mqtt::SubAck>(actions).value().codes, (std::vector<std::uint8_t>{1, 1}));
}

TEST_F(DeviceSessionTest, SubscriptionsBeyondSixteenInAPacketAreRefused) {
    bring_up();
    mqtt::Subscribe packet{6, std::vector<mqtt::Subscription>(16, {"a", 0})};
    packet.subscriptions.push_back({std::string(iothub::request_filter), 0});
    const auto actions = session.received(packet);
    auto expected = std::vector<std::uint8_t>(16, 0);
    expected.push_back(0x80);
    EXPECT_EQ(sent<mqtt::SubAck>(actions).value().codes, expected);
    EXPECT_EQ(find<StartRequests>(actions), nullptr);
}

TEST_F(DeviceSessionTest, RepeatedSubscribeIsHarmless) {
    bring_up();
    for (std::uint16_t id = 1; id < 4; ++id) {
        const auto actions = session.received(mqtt::Subscribe{id, {{std::string(iothub::request_filter), 0}}});
        EXPECT_EQ(sent<mqtt::SubAck>(actions).value().packet_id, id);
    }
}

TEST_F(DeviceSessionTest, WhatIsSubscribedAlreadyCostsNoMoreThanItsAcknowledgement) {
    const mqtt::Subscribe again{5, {{std::string(iothub::request_filter), 0}}};
    const mqtt::Unsubscribe leave{6, {std::string(iothub::request_filter)}};
    bring_up();
    EXPECT_EQ(session.received(leave).size(), 1U);
    EXPECT_EQ(session.received(again).size(), 2U);
    EXPECT_EQ(session.received(again).size(), 1U);
    EXPECT_EQ(session.received(leave).size(), 2U);
    EXPECT_EQ(session.received(leave).size(), 1U);
    EXPECT_EQ(session.received(again).size(), 2U);
}

TEST_F(DeviceSessionTest, UnsubscribeStopsRequests) {
    bring_up();
    session.received(mqtt::Subscribe{4, {{std::string(iothub::request_filter), 0}}});
    const auto actions = session.received(mqtt::Unsubscribe{5, {std::string(iothub::request_filter)}});
    EXPECT_NE(find<StopRequests>(actions), nullptr);
    EXPECT_EQ(sent<mqtt::UnsubAck>(actions).value().packet_id, 5);
}

// PUBLISH.

TEST_F(DeviceSessionTest, AcceptAndRejectAreTaken) {
    bring_up();
    const auto accept = session.received(answer("$iothub/streams/res/200/?$rid=1f"));
    ASSERT_NE(find<TakeAnswer>(accept), nullptr);
    EXPECT_TRUE(find<TakeAnswer>(accept)->answer.accepted());
    EXPECT_EQ(find<TakeAnswer>(accept)->answer.request_id, "1f");
    EXPECT_EQ(accept.size(), 1u) << "no reply to the device";
    EXPECT_FALSE(find<TakeAnswer>(session.received(answer("$iothub/streams/res/400/?$rid=1")))->answer.accepted());
}

TEST_F(DeviceSessionTest, AnswerWithQosOneIsTakenAndAcknowledged) {
    bring_up();
    const auto actions = session.received(answer("$iothub/streams/res/200/?$rid=1", 1));
    EXPECT_EQ(sent<mqtt::PubAck>(actions).value().packet_id, 9);
    EXPECT_NE(find<TakeAnswer>(actions), nullptr);
}

TEST_F(DeviceSessionTest, TelemetryIsAcknowledgedAndDropped) {
    bring_up();
    const auto actions = session.received(answer("devices/dev-01/messages/events/", 1));
    EXPECT_TRUE(sent<mqtt::PubAck>(actions));
    EXPECT_EQ(actions.size(), 1u);
    EXPECT_TRUE(session.received(answer("$iothub/twin/GET/?$rid=1")).empty());
}

TEST_F(DeviceSessionTest, TwinRequestsAreAnsweredAtOnceWithFiveHundredAndOne) {
    bring_up();
    session.received(mqtt::Subscribe{3, {{"$iothub/twin/res/#", 0}}});
    for (const char* topic : {"$iothub/twin/GET/?$rid=17", "$iothub/twin/PATCH/properties/reported/?$rid=17"}) {
        const auto actions = session.received(answer(topic));
        const auto publish = sent<mqtt::Publish>(actions);
        ASSERT_TRUE(publish) << topic;
        EXPECT_EQ(publish->topic, "$iothub/twin/res/501/?$rid=17");
        EXPECT_EQ(publish->qos, 0);
        EXPECT_FALSE(publish->payload.empty()) << "Azure's Node SDK takes an answer without an error code for good";
        EXPECT_EQ(actions.size(), 1u);
    }
}

TEST_F(DeviceSessionTest, TwinRequestWithQosOneIsAcknowledgedBeforeItsAnswer) {
    bring_up();
    session.received(mqtt::Subscribe{3, {{"$iothub/twin/res/#", 0}}});
    const auto actions = session.received(answer("$iothub/twin/GET/?$rid=1", 1));
    ASSERT_EQ(actions.size(), 2u);
    EXPECT_TRUE(std::holds_alternative<mqtt::PubAck>(std::get<SendPacket>(actions[0]).packet));
    EXPECT_TRUE(std::holds_alternative<mqtt::Publish>(std::get<SendPacket>(actions[1]).packet));
}

TEST_F(DeviceSessionTest, TwinAnswersGoOnlyToWhoHasSubscribedToThem) {
    bring_up();
    session.received(mqtt::Subscribe{3, {{"$iothub/twin/PATCH/properties/desired/#", 0}, {"#", 0}}});
    EXPECT_FALSE(sent<mqtt::Publish>(session.received(answer("$iothub/twin/GET/?$rid=1"))));
    session.received(mqtt::Subscribe{4, {{"$iothub/twin/res/#", 0}}});
    EXPECT_TRUE(sent<mqtt::Publish>(session.received(answer("$iothub/twin/GET/?$rid=2"))));
    session.received(mqtt::Unsubscribe{5, {"$iothub/twin/res/#"}});
    EXPECT_FALSE(sent<mqtt::Publish>(session.received(answer("$iothub/twin/GET/?$rid=3"))));
}

TEST_F(DeviceSessionTest, MalformedAnswerIsIgnored) {
    bring_up();
    EXPECT_TRUE(session.received(answer("$iothub/streams/res/200/")).empty());
    EXPECT_TRUE(session.is_up());
}

TEST_F(DeviceSessionTest, QosTwoIsAViolation) {
    bring_up();
    expect_violation(answer("devices/dev-01/messages/events/", 2));
}

TEST_F(DeviceSessionTest, PubRelIsAViolation) {
    bring_up();
    expect_violation(mqtt::PubRel{1});
}

TEST_F(DeviceSessionTest, DisconnectEndsWithoutFault) {
    bring_up();
    const auto actions = session.received(mqtt::Disconnect{});
    ASSERT_NE(find<EndLink>(actions), nullptr);
    EXPECT_EQ(find<EndLink>(actions)->fault, std::nullopt);
}

}  // namespace
}  // namespace device_streams::hub
