#include "device-proxy/hub_link.hpp"

#include "scripted_hub.hpp"

#include <gtest/gtest.h>

namespace device_streams::device {
namespace {

using namespace std::chrono_literals;
using test::HubLinkFixture;
namespace mqtt = iothub::mqtt;

constexpr auto renewal = 48min;  // 80 % of an hour

TEST(HubLink, LogsInWithATokenForItsIdentity) {
    HubLinkFixture f;
    f.link.start();
    f.settle();
    ASSERT_EQ(f.links.size(), 1u);
    const auto packet = f.links[0]->next();
    ASSERT_TRUE(packet);
    const auto* login = std::get_if<mqtt::Connect>(&*packet);
    ASSERT_TRUE(login);
    EXPECT_EQ(login->client_id, "dev-01");
    EXPECT_FALSE(login->clean_session);
    EXPECT_EQ(login->keep_alive, 20);
    EXPECT_EQ(login->user_name->find("hub1.iot.example/dev-01/?api-version=2020-09-30&DeviceClientType=device-proxy"),
              0u)
        << *login->user_name;
    const auto token = std::string(login->password->reveal());
    EXPECT_EQ(token.find("SharedAccessSignature sr=hub1.iot.example%2Fdevices%2Fdev-01&"), 0u) << "wrong scope";
    EXPECT_NE(token.find("se=" + std::to_string(f.clock.unix_seconds() + 3600)), std::string::npos);
}

TEST(HubLink, SaysOnceThatItIsLinked) {
    HubLinkFixture f;
    f.start_and_let_in();
    EXPECT_TRUE(f.log->contains("info linked to the hub hub=hub1.iot.example transport=mqtt-ws"));
    EXPECT_EQ(f.log->lines().size(), 1u);
}

TEST(HubLink, ComesBackAfterTheHubClosedIt) {
    HubLinkFixture f;
    f.start_and_let_in();
    f.pass(10s);
    f.links[0]->close();
    f.settle();
    EXPECT_TRUE(f.log->contains("DS-209"));
    EXPECT_EQ(f.links.size(), 1u);
    f.pass(500ms);
    ASSERT_EQ(f.links.size(), 2u);
    f.let_in(*f.links[1]);
    EXPECT_EQ(f.log->lines().size(), 3u);
}

TEST(HubLink, WaitsLongerAndLongerForAHubThatCannotBeReached) {
    HubLinkFixture f(1.0);
    f.unreachable = true;
    f.link.start();
    f.settle();
    for (const auto* wait : {"1000", "2000", "4000", "8000", "16000", "32000", "60000", "60000"}) {
        EXPECT_NE(f.log->lines().back().find("DS-201"), std::string::npos);
        EXPECT_NE(f.log->lines().back().find(std::string("retry_in_ms=") + wait), std::string::npos)
            << f.log->lines().back();
        f.pass(std::chrono::milliseconds(std::atoi(wait)));
    }
}

TEST(HubLink, DoesNotTakeALinkThatDiesYoungForProofOfLife) {
    HubLinkFixture f(1.0);
    f.link.start();
    f.settle();
    for (const auto* wait : {"1000", "2000", "4000"}) {
        f.let_in(*f.links.back());
        f.pass(4s);
        f.links.back()->close();
        f.settle();
        EXPECT_NE(f.log->lines().back().find(std::string("retry_in_ms=") + wait), std::string::npos);
        f.pass(4s);
    }
}

TEST(HubLink, StartsTheBackoffAnewAfterALinkThatLived) {
    HubLinkFixture f(1.0);
    f.unreachable = true;
    f.link.start();
    f.settle();
    f.unreachable = false;
    f.pass(1s);
    f.let_in(*f.links.at(0));
    f.pass(6s);
    f.links[0]->close();
    f.settle();
    EXPECT_NE(f.log->lines().back().find("retry_in_ms=1000"), std::string::npos);
}

TEST(HubLink, KeepsTryingARefusedCredentialWithTheLongestPause) {
    HubLinkFixture f(1.0);
    f.link.start();
    f.settle();
    f.links[0]->send(mqtt::ConnAck{false, 5});
    f.settle();
    EXPECT_TRUE(f.log->contains("DS-207"));
    EXPECT_TRUE(f.log->contains("retry_in_ms=30500"));
    f.pass(30s);
    EXPECT_EQ(f.links.size(), 1u);
    f.pass(500ms);
    EXPECT_EQ(f.links.size(), 2u);
}

TEST(HubLink, TellsABusyHubFromARefusedCredential) {
    HubLinkFixture f;
    f.link.start();
    f.settle();
    f.links[0]->send(mqtt::ConnAck{false, 3});
    f.settle();
    EXPECT_TRUE(f.log->contains("DS-208"));
    EXPECT_TRUE(f.log->contains("retry_in_ms=500"));
}

TEST(HubLink, GivesUpASilentHubInUnderThirtySeconds) {
    HubLinkFixture f;
    f.start_and_let_in();
    f.pass(20s);
    EXPECT_TRUE(f.links[0]->next_is<mqtt::PingReq>());
    f.pass(5s);
    EXPECT_TRUE(f.log->contains("DS-205"));
    f.pass(500ms);
    EXPECT_EQ(f.links.size(), 2u);
}

TEST(HubLink, EndsALinkThatSendsGarbage) {
    HubLinkFixture f;
    f.start_and_let_in();
    f.links[0]->send(mqtt::Connect{});
    f.settle();
    EXPECT_TRUE(f.log->contains("DS-206"));
}

TEST(HubLink, RenewsItsTokenBesideTheOldLink) {
    HubLinkFixture f;
    f.start_and_let_in();
    f.pass(renewal - 1s);
    EXPECT_EQ(f.links.size(), 1u);
    f.links[0]->send(mqtt::PingResp{});
    f.settle();
    f.pass(1s);
    ASSERT_EQ(f.links.size(), 2u);

    f.links[0]->send(HubLinkFixture::request("1"));
    f.settle();
    EXPECT_EQ(f.requests.size(), 1u) << "the old link works until the new one does";

    EXPECT_TRUE(f.links[0]->next_is<mqtt::PingReq>());
    f.let_in(*f.links[1]);
    EXPECT_TRUE(f.links[0]->next_is<mqtt::Disconnect>());
    f.links[0]->send(HubLinkFixture::request("2"));
    f.links[1]->send(HubLinkFixture::request("3"));
    f.settle();
    EXPECT_EQ(f.requests.size(), 3u);
    EXPECT_TRUE(f.log->contains("link to the hub renewed"));
    EXPECT_FALSE(f.log->contains("warning"));
}

TEST(HubLink, IsNotAlarmedWhenTheHubDropsTheOldLinkDuringRenewal) {
    HubLinkFixture f;
    f.start_and_let_in();
    f.pass(renewal);
    ASSERT_EQ(f.links.size(), 2u);
    f.links[1]->send(mqtt::ConnAck{});
    f.links[0]->close();
    f.settle();
    f.links[1]->send(mqtt::SubAck{1, {0, 0}});
    f.settle();
    EXPECT_FALSE(f.log->contains("warning"));
    EXPECT_TRUE(f.log->contains("link to the hub renewed"));
    f.links[1]->send(HubLinkFixture::request("1"));
    f.settle();
    EXPECT_EQ(f.requests.size(), 1u);
    f.pass(1s);
    EXPECT_EQ(f.links.size(), 2u);
}

TEST(HubLink, KeepsTheOldLinkWhileRenewingFails) {
    HubLinkFixture f;
    f.start_and_let_in();
    f.unreachable = true;
    f.pass(renewal);
    f.links[0]->send(mqtt::PingResp{});
    f.links[0]->send(HubLinkFixture::request("1"));
    f.settle();
    EXPECT_TRUE(f.log->contains("DS-201"));
    EXPECT_EQ(f.requests.size(), 1u);
    f.unreachable = false;
    f.pass(500ms);
    ASSERT_EQ(f.links.size(), 2u);
    f.let_in(*f.links[1]);
    EXPECT_TRUE(f.log->contains("link to the hub renewed"));
}

TEST(HubLink, DoesNotRenewAReadyMadeToken) {
    auto settings = HubLinkFixture::default_settings();
    settings.identity.key = Secret();
    settings.identity.token = Secret("SharedAccessSignature sr=x&sig=y&se=1");
    HubLinkFixture f(0.5, settings);
    f.link.start();
    f.settle();
    EXPECT_EQ(std::get<mqtt::Connect>(*f.links[0]->next()).password, settings.identity.token);
    f.let_in(*f.links[0]);
    f.pass(renewal);
    f.links[0]->send(mqtt::PingResp{});
    f.settle();
    EXPECT_EQ(f.links.size(), 1u);
}

TEST(HubLink, AnswersOnTheNewestLink) {
    HubLinkFixture f;
    f.start_and_let_in();
    f.link.answer({200, "1"}, false);
    f.settle();
    EXPECT_EQ(f.links[0]->next_topic(), "$iothub/streams/res/200/?$rid=1");
    f.pass(renewal);
    f.let_in(*f.links[1]);
    f.link.answer({400, "2"}, false);
    f.settle();
    EXPECT_EQ(f.links[1]->next_topic(), "$iothub/streams/res/400/?$rid=2");
}

TEST(HubLink, RepeatsARecentAnswerOnANewLink) {
    HubLinkFixture f;
    f.start_and_let_in();
    f.link.answer({200, "7"}, true);
    f.settle();
    f.links[0]->close();
    f.settle();
    f.link.answer({200, "8"}, true);
    f.pass(1s);
    ASSERT_EQ(f.links.size(), 2u);
    f.let_in(*f.links[1]);
    EXPECT_EQ(f.links[1]->next_topic(), "$iothub/streams/res/200/?$rid=7");
    EXPECT_EQ(f.links[1]->next_topic(), "$iothub/streams/res/200/?$rid=8");
}

TEST(HubLink, DoesNotRepeatOldAnswers) {
    HubLinkFixture f;
    f.start_and_let_in();
    f.link.answer({200, "7"}, true);
    f.settle();
    f.pass(11s);
    f.links[0]->close();
    f.settle();
    f.pass(1s);
    ASSERT_EQ(f.links.size(), 2u);
    f.let_in(*f.links[1]);
    EXPECT_FALSE(f.links[1]->next());
}

TEST(HubLink, NeverRepeatsAnswersToAForeignHub) {
    HubLinkFixture f;
    f.start_and_let_in();
    f.link.answer({200, "7"}, false);
    f.settle();
    f.links[0]->close();
    f.settle();
    f.pass(1s);
    ASSERT_EQ(f.links.size(), 2u);
    f.let_in(*f.links[1]);
    EXPECT_FALSE(f.links[1]->next());
}

TEST(HubLink, LeavesWithAGoodbyeAndStaysAway) {
    HubLinkFixture f;
    f.start_and_let_in();
    f.link.leave();
    f.settle();
    EXPECT_TRUE(f.links[0]->next_is<mqtt::Disconnect>());
    test::Running<void> done(f.io, f.link.until_done());
    f.settle();
    EXPECT_FALSE(done.done());
    f.links[0]->close();
    f.settle();
    EXPECT_TRUE(done.done());
    f.pass(1h);
    EXPECT_EQ(f.links.size(), 1u);
    EXPECT_FALSE(f.log->contains("warning"));
}

TEST(HubLink, LeavesAHubThatDoesNotClose) {
    HubLinkFixture f;
    f.start_and_let_in();
    f.link.leave();
    test::Running<void> done(f.io, f.link.until_done());
    f.settle();
    f.pass(2s);
    EXPECT_TRUE(done.done());
}

TEST(HubLink, LeavesWhileItIsStillConnecting) {
    HubLinkFixture f;
    f.never_opens = true;
    f.link.start();
    f.settle();
    f.link.leave();
    test::Running<void> done(f.io, f.link.until_done());
    f.settle();
    EXPECT_TRUE(done.done());
}

TEST(HubLink, LeavesWhileItWaitsToTryAgain) {
    HubLinkFixture f;
    f.unreachable = true;
    f.link.start();
    f.settle();
    f.link.leave();
    test::Running<void> done(f.io, f.link.until_done());
    f.settle();
    EXPECT_TRUE(done.done());
}

TEST(HubLink, LeavesBothLinksDuringRenewal) {
    HubLinkFixture f;
    f.start_and_let_in();
    f.pass(renewal);
    f.link.leave();
    f.settle();
    test::Running<void> done(f.io, f.link.until_done());
    f.links[0]->close();
    f.settle();
    EXPECT_TRUE(done.done());
}

TEST(HubLink, StopsAtOnceWhenCancelled) {
    HubLinkFixture f;
    f.start_and_let_in();
    f.link.cancel();
    test::Running<void> done(f.io, f.link.until_done());
    f.settle();
    EXPECT_TRUE(done.done());
}

TEST(HubLink, ReplacesTheLinkWhenTheCredentialChanges) {
    HubLinkFixture f;
    f.start_and_let_in();
    auto settings = f.settings;
    settings.identity.device_id = "dev-02";
    f.link.apply(settings);
    f.settle();
    ASSERT_EQ(f.links.size(), 2u);
    const auto packet = f.links[1]->next();
    EXPECT_EQ(std::get<mqtt::Connect>(*packet).client_id, "dev-02");
    f.let_in(*f.links[1]);
    EXPECT_TRUE(f.links[0]->next_is<mqtt::Disconnect>());
}

TEST(HubLink, KeepsTheLinkWhenNothingOfItChanges) {
    HubLinkFixture f;
    f.start_and_let_in();
    auto settings = f.settings;
    settings.backoff.longest = 30s;
    f.link.apply(settings);
    f.settle();
    EXPECT_EQ(f.links.size(), 1u);
}

TEST(HubLink, TriesANewCredentialWithoutWaiting) {
    HubLinkFixture f;
    f.link.start();
    f.settle();
    f.links[0]->send(mqtt::ConnAck{false, 5});
    f.settle();
    auto settings = f.settings;
    settings.identity.key = Secret("ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=");
    f.link.apply(settings);
    f.settle();
    EXPECT_EQ(f.links.size(), 2u);
}

TEST(HubLink, NeverLogsItsCredential) {
    HubLinkFixture f;
    f.start_and_let_in();
    f.links[0]->close();
    f.settle();
    for (const auto& line : f.log->lines()) {
        EXPECT_EQ(line.find("SharedAccess"), std::string::npos);
        EXPECT_EQ(line.find("MDEyMzQ1"), std::string::npos);
    }
}

}  // namespace
}  // namespace device_streams::device
