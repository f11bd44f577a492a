#include "common/device_client/hub_link.hpp"

#include "tests/unit/device_client/scripted_hub.hpp"

#include <gtest/gtest.h>

namespace device_streams::device {
namespace {

using namespace std::chrono_literals;
using test::HubLinkFixture;

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
    f.refusal = Errc::hub_unreachable;
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
    f.refusal = Errc::hub_unreachable;
    f.link.start();
    f.settle();
    f.refusal.reset();
    f.pass(1s);
    f.let_in(*f.links.at(0));
    f.pass(6s);
    f.links[0]->close();
    f.settle();
    EXPECT_NE(f.log->lines().back().find("retry_in_ms=1000"), std::string::npos);
}

TEST(HubLink, SpreadsItsReturnToAHubThatRestarts) {
    for (const double random : {0.25, 0.5, 1.0}) {
        HubLinkFixture f(random);
        f.start_and_let_in();
        f.pass(6s);
        f.links[0]->fail(CloseReason::stopping);
        f.settle();
        EXPECT_TRUE(f.log->contains("DS-503")) << f.log->lines().back();
        const auto wait = std::to_string(static_cast<int>(4000 * random));
        EXPECT_TRUE(f.log->contains("retry_in_ms=" + wait)) << f.log->lines().back();
    }
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

// Another machine with the same identity has taken the place of the `number`-th link.
void take_over(HubLinkFixture& f, std::size_t number) {
    mqtt::Publish told;
    told.topic = "$iothub/streams/takeover/?$by=192.0.2.7";
    f.links.at(number)->send(told);
    f.settle();
}

TEST(HubLink, StaysAwayLongerAndLongerFromAMachineThatTakesItsPlace) {
    HubLinkFixture f(1.0);
    f.start_and_let_in();
    std::size_t number = 0;
    for (const auto pause : {60s, 120s, 240s, 480s, 960s, 960s}) {
        take_over(f, number);
        const auto line = f.log->lines().back();
        EXPECT_NE(line.find("DS-606"), std::string::npos) << line;
        EXPECT_NE(line.find("a machine at 192.0.2.7 uses this device id"), std::string::npos) << line;
        EXPECT_NE(line.find("retry_in_ms=" + std::to_string(pause.count()) + "000"), std::string::npos) << line;
        f.pass(pause - 1ms);
        EXPECT_EQ(f.links.size(), number + 1);
        f.pass(1ms);
        ASSERT_EQ(f.links.size(), number + 2);
        f.let_in(*f.links[++number]);
    }
}

TEST(HubLink, StaysAwayShortlyFromAMachineThatTakesItsPlaceAfterALongTime) {
    HubLinkFixture f(0.0);
    f.start_and_let_in();
    take_over(f, 0);
    f.pass(30s);  // half of it at least
    ASSERT_EQ(f.links.size(), 2u);
    f.let_in(*f.links[1]);
    for (int minutes = 0; minutes < 40; ++minutes) {
        f.pass(15s);
        f.links[1]->send(mqtt::PingResp{});
        f.settle();
        f.pass(45s);
        f.links[1]->send(mqtt::PingResp{});
        f.settle();
    }
    const auto alive = f.links.size();
    take_over(f, alive - 1);
    EXPECT_NE(f.log->lines().back().find("retry_in_ms=30000"), std::string::npos) << f.log->lines().back();
}

TEST(HubLink, LeavesWithAGoodbyeAndStaysAway) {
    HubLinkFixture f;
    f.start_and_let_in();
    f.link.leave();
    f.settle();
    EXPECT_TRUE(f.links[0]->next_is<mqtt::Disconnect>());
    EXPECT_FALSE(f.is_done());
    f.links[0]->close();
    EXPECT_TRUE(f.is_done());
    f.pass(1h);
    EXPECT_EQ(f.links.size(), 1u);
    EXPECT_FALSE(f.log->contains("warning"));
}

TEST(HubLink, LeavesAHubThatDoesNotClose) {
    HubLinkFixture f;
    f.start_and_let_in();
    f.link.leave();
    EXPECT_FALSE(f.is_done());
    f.pass(2s);
    EXPECT_TRUE(f.is_done());
}

TEST(HubLink, LeavesWhileItIsStillConnecting) {
    HubLinkFixture f;
    f.never_opens = true;
    f.link.start();
    f.settle();
    f.link.leave();
    EXPECT_TRUE(f.is_done());
}

TEST(HubLink, LeavesWhileItWaitsToTryAgain) {
    HubLinkFixture f;
    f.refusal = Errc::hub_unreachable;
    f.link.start();
    f.settle();
    f.link.leave();
    EXPECT_TRUE(f.is_done());
}

TEST(HubLink, StopsAtOnceWhenCancelled) {
    HubLinkFixture f;
    f.start_and_let_in();
    f.link.cancel();
    EXPECT_TRUE(f.is_done());
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
