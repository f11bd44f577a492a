#include "common/device_client/client_session.hpp"

#include "common/base/error.hpp"

#include <gtest/gtest.h>

namespace device_streams::device {
namespace {

using namespace std::chrono_literals;
using State = ClientSession::State;

class ClientSessionTest : public testing::Test {
 protected:
    static mqtt::Connect login() {
        mqtt::Connect connect;
        connect.client_id = "dev-01";
        connect.keep_alive = 20;
        return connect;
    }
    static mqtt::Publish request(std::string_view rid, std::uint8_t qos = 0) {
        mqtt::Publish message;
        message.topic = "$iothub/streams/POST/ssh.1a2b3c4d/?$rid=" + std::string(rid) +
                        "&$url=wss%3A%2F%2Fhub.example%3A443%2Fbridges%2Fx&$auth=token";
        message.qos = qos;
        message.packet_id = qos ? 7 : 0;
        return message;
    }

    void connect() { session.start(now); }
    void log_in() {
        connect();
        session.receive(mqtt::ConnAck{}, now);
    }
    void come_up() {
        log_in();
        session.receive(mqtt::SubAck{1, {0, 0}}, now);
    }
    template <typename Action>
    std::string failure_of(Action action) {
        try {
            action();
        } catch (const Failure& failure) {
            return std::string(describe(failure.errc()).id) + ": " + failure.detail();
        }
        return "(none)";
    }
    std::string refusal(std::uint8_t code) {
        connect();
        return failure_of([&] { session.receive(mqtt::ConnAck{false, code}, now); });
    }
    template <typename Packet>
    static const Packet* only(const ClientSession::Actions& actions) {
        return actions.send.size() == 1 ? std::get_if<Packet>(&actions.send.front()) : nullptr;
    }

    Clock::time_point now{1h};
    ClientSession session{login(), SessionLimits{}};
};

TEST_F(ClientSessionTest, SpeaksFirst) {
    const auto actions = session.start(now);
    ASSERT_TRUE(only<mqtt::Connect>(actions));
    EXPECT_EQ(only<mqtt::Connect>(actions)->client_id, "dev-01");
}

TEST_F(ClientSessionTest, SubscribesToRequestsAndAnswersOnceLoggedIn) {
    connect();
    const auto actions = session.receive(mqtt::ConnAck{}, now);
    const auto* subscribe = only<mqtt::Subscribe>(actions);
    ASSERT_TRUE(subscribe);
    EXPECT_NE(subscribe->packet_id, 0);
    ASSERT_EQ(subscribe->subscriptions.size(), 2u);
    EXPECT_EQ(subscribe->subscriptions[0].filter, "$iothub/streams/POST/#");
    EXPECT_EQ(subscribe->subscriptions[0].qos, 0);
    EXPECT_EQ(subscribe->subscriptions[1].filter, "$iothub/streams/res/#");
    EXPECT_EQ(session.state(), State::subscribing);
}

TEST_F(ClientSessionTest, SubscribesAgainAlthoughTheSessionIsPresent) {
    connect();
    EXPECT_TRUE(only<mqtt::Subscribe>(session.receive(mqtt::ConnAck{true, 0}, now)));
}

TEST_F(ClientSessionTest, IsUpOnceSubscribed) {
    log_in();
    session.receive(mqtt::SubAck{1, {0, 0}}, now);
    EXPECT_EQ(session.state(), State::up);
}

TEST_F(ClientSessionTest, EndsWhenTheSubscriptionIsRefused) {
    log_in();
    EXPECT_EQ(failure_of([&] { session.receive(mqtt::SubAck{1, {0, 0x80}}, now); }).substr(0, 6), "DS-206");
}

TEST_F(ClientSessionTest, TellsARefusedCredentialFromABusyHub) {
    EXPECT_EQ(refusal(5).substr(0, 6), "DS-207");
    EXPECT_EQ(refusal(4).substr(0, 6), "DS-207");
    EXPECT_EQ(refusal(2).substr(0, 6), "DS-207");
    EXPECT_EQ(refusal(3).substr(0, 6), "DS-208");
    EXPECT_EQ(refusal(1).substr(0, 6), "DS-206");
    EXPECT_EQ(refusal(99).substr(0, 6), "DS-206");
}

TEST_F(ClientSessionTest, EndsWithoutConnackInTime) {
    connect();
    EXPECT_EQ(session.deadline(), now + 30s);
    EXPECT_TRUE(session.tick(now + 29s).send.empty());
    EXPECT_EQ(failure_of([&] { session.tick(now + 30s); }), "DS-205: no CONNACK");
}

TEST_F(ClientSessionTest, EndsWithoutSubackInTime) {
    log_in();
    EXPECT_EQ(session.deadline(), now + 30s);
    EXPECT_EQ(failure_of([&] { session.tick(now + 30s); }), "DS-205: no SUBACK");
}

TEST_F(ClientSessionTest, EndsWhenTheHubSpeaksBeforeItsConnack) {
    connect();
    EXPECT_EQ(failure_of([&] { session.receive(request("1"), now); }).substr(0, 6), "DS-206");
}

TEST_F(ClientSessionTest, EndsOnPacketsThatOnlyClientsSend) {
    come_up();
    EXPECT_EQ(failure_of([&] { session.receive(mqtt::PingReq{}, now); }).substr(0, 6), "DS-206");
    EXPECT_EQ(failure_of([&] { session.receive(mqtt::ConnAck{}, now); }).substr(0, 6), "DS-206");
    EXPECT_EQ(failure_of([&] { session.receive(mqtt::SubAck{1, {0}}, now); }).substr(0, 6), "DS-206");
}

TEST_F(ClientSessionTest, DeliversStreamRequests) {
    come_up();
    const auto actions = session.receive(request("17"), now);
    ASSERT_EQ(actions.requests.size(), 1u);
    EXPECT_EQ(actions.requests[0].name, "ssh.1a2b3c4d");
    EXPECT_EQ(actions.requests[0].request_id, "17");
    EXPECT_EQ(actions.requests[0].url, "wss://hub.example:443/bridges/x");
    EXPECT_TRUE(actions.send.empty());
}

TEST_F(ClientSessionTest, DeliversRequestsThatComeBeforeTheSuback) {
    log_in();
    EXPECT_EQ(session.receive(request("1"), now).requests.size(), 1u);
}

TEST_F(ClientSessionTest, AcknowledgesQosOne) {
    come_up();
    const auto actions = session.receive(request("1", 1), now);
    EXPECT_EQ(actions.requests.size(), 1u);
    ASSERT_TRUE(only<mqtt::PubAck>(actions));
    EXPECT_EQ(only<mqtt::PubAck>(actions)->packet_id, 7);
}

TEST_F(ClientSessionTest, EndsOnQosTwo) {
    come_up();
    EXPECT_EQ(failure_of([&] { session.receive(request("1", 2), now); }).substr(0, 6), "DS-206");
}

TEST_F(ClientSessionTest, EndsWhenItIsToldThatAnotherMachineTookOver) {
    come_up();
    mqtt::Publish told;
    told.topic = "$iothub/streams/takeover/?$by=192.0.2.7";
    EXPECT_EQ(failure_of([&] { session.receive(told, now); }), "DS-606: a machine at 192.0.2.7 uses this device id");
}

TEST_F(ClientSessionTest, IgnoresOtherTopics) {
    come_up();
    mqtt::Publish message;
    message.topic = "devices/dev-01/messages/devicebound/x";
    const auto actions = session.receive(message, now);
    EXPECT_TRUE(actions.requests.empty());
    EXPECT_TRUE(actions.warnings.empty());
}

TEST_F(ClientSessionTest, WarnsOfAMalformedRequestWithoutItsToken) {
    come_up();
    mqtt::Publish message;
    message.topic = "$iothub/streams/POST/ssh/?$rid=1&$auth=secret-token";
    const auto actions = session.receive(message, now);
    EXPECT_TRUE(actions.requests.empty());
    ASSERT_EQ(actions.warnings.size(), 1u);
    EXPECT_NE(actions.warnings[0].find("$iothub/streams/POST/ssh/"), std::string::npos);
    EXPECT_EQ(actions.warnings[0].find("secret-token"), std::string::npos);
}

TEST_F(ClientSessionTest, RejectsARequestWhoseUrlLeadsNowhere) {
    come_up();
    for (const char* scheme : {"ws%3A", "https%3A", "http%3A", "WSS", ""}) {
        mqtt::Publish message;
        message.topic = "$iothub/streams/POST/ssh/?$rid=17&$url=" + std::string(scheme) + "%2F%2Fhub%3A443%2Fx&$auth=t";
        const auto actions = session.receive(message, now);
        EXPECT_TRUE(actions.requests.empty()) << scheme;
        ASSERT_TRUE(only<mqtt::Publish>(actions)) << scheme;
        EXPECT_EQ(only<mqtt::Publish>(actions)->topic, "$iothub/streams/res/400/?$rid=17");
        ASSERT_EQ(actions.warnings.size(), 1u);
        EXPECT_NE(actions.warnings[0].find("DS-206"), std::string::npos);
    }
}

TEST_F(ClientSessionTest, RequestWithoutASaneIdHasNoAnswer) {
    come_up();
    for (const std::string& id : {std::string(), std::string("a/b"), std::string("+"), std::string(200, 'x')}) {
        mqtt::Publish message;
        message.topic = "$iothub/streams/POST/ssh/?$rid=" + id + "&$url=ws%3A%2F%2Fhub%2Fx&$auth=t";
        EXPECT_TRUE(session.receive(message, now).send.empty()) << id;
    }
}

TEST_F(ClientSessionTest, AnswersOnTheTopicOfTheRequest) {
    come_up();
    const auto actions = session.answer({200, "17"}, now);
    ASSERT_TRUE(only<mqtt::Publish>(actions));
    EXPECT_EQ(only<mqtt::Publish>(actions)->topic, "$iothub/streams/res/200/?$rid=17");
    EXPECT_EQ(only<mqtt::Publish>(actions)->qos, 0);
    EXPECT_TRUE(only<mqtt::Publish>(actions)->payload.empty());
}

TEST_F(ClientSessionTest, PingsAfterSilence) {
    come_up();
    EXPECT_EQ(session.deadline(), now + 20s);
    EXPECT_TRUE(session.tick(now + 19s).send.empty());
    EXPECT_TRUE(only<mqtt::PingReq>(session.tick(now + 20s)));
}

TEST_F(ClientSessionTest, PingsAHubThatIsSilentThoughAnswersAreSent) {
    come_up();
    session.answer({200, "1"}, now + 15s);
    EXPECT_EQ(session.deadline(), now + 20s);
}

TEST_F(ClientSessionTest, PingsWhenItHasSaidNothingThoughTheHubTalks) {
    come_up();
    session.heard(now + 15s);
    EXPECT_EQ(session.deadline(), now + 20s);
}

TEST_F(ClientSessionTest, NeedsNoPingWhileBothTalk) {
    come_up();
    session.receive(request("1"), now + 15s);
    session.answer({200, "1"}, now + 15s);
    EXPECT_EQ(session.deadline(), now + 35s);
}

TEST_F(ClientSessionTest, FindsADeadHubInSeconds) {
    come_up();
    session.tick(now + 20s);
    EXPECT_LT(session.deadline(), now + 30s);
    EXPECT_EQ(failure_of([&] { session.tick(session.deadline()); }), "DS-205: no answer to a ping on the link");
}

TEST_F(ClientSessionTest, LivesOnWhenThePingIsAnswered) {
    come_up();
    session.tick(now + 20s);
    session.receive(mqtt::PingResp{}, now + 21s);
    EXPECT_EQ(session.deadline(), now + 40s);
}

TEST_F(ClientSessionTest, TakesPartOfAPacketForLife) {
    come_up();
    session.tick(now + 20s);
    session.heard(now + 21s);
    EXPECT_TRUE(session.tick(now + 25s).send.empty());
}

TEST_F(ClientSessionTest, SaysGoodbyeOnce) {
    come_up();
    EXPECT_TRUE(only<mqtt::Disconnect>(session.leave(now)));
    EXPECT_TRUE(session.leave(now).send.empty());
    EXPECT_EQ(session.state(), State::leaving);
}

TEST_F(ClientSessionTest, StillTakesRequestsThatWereOnTheirWayWhenItLeft) {
    come_up();
    session.leave(now);
    const auto actions = session.receive(request("1", 1), now);
    EXPECT_EQ(actions.requests.size(), 1u);
    EXPECT_TRUE(actions.send.empty()) << "nothing may follow DISCONNECT";
    EXPECT_TRUE(session.answer({200, "1"}, now).send.empty());
}

TEST_F(ClientSessionTest, WaitsForTheHubToCloseOnlySoLong) {
    come_up();
    session.leave(now);
    EXPECT_EQ(session.deadline(), now + 2s);
    EXPECT_NE(failure_of([&] { session.tick(now + 2s); }), "(none)");
}

}  // namespace
}  // namespace device_streams::device
