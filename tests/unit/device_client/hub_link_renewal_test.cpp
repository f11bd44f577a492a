#include "common/device_client/hub_link.hpp"
#include "tests/unit/device_client/scripted_hub.hpp"

#include <gtest/gtest.h>

namespace device_streams::device {
namespace {

using namespace std::chrono_literals;
using test::HubLinkFixture;

constexpr auto renewal = 48min;  // 80 % of an hour

TEST(HubLinkRenewal, RenewsItsTokenBesideTheOldLink) {
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

// What the hub is told in CONNECT on that link.
std::optional<Announcement> announced_on(test::ScriptedLink& link) {
    const auto packet = link.next();
    const auto* login = packet ? std::get_if<mqtt::Connect>(&*packet) : nullptr;
    const auto user = iothub::parse_mqtt_user_name(login ? login->user_name.value_or("") : "", false);
    return user ? parse_announcement(user->client_type) : std::nullopt;
}

TEST(HubLinkRenewal, SaysThatAllItsLinksAreOfOneProcess) {
    HubLinkFixture f, another;
    for (auto* one : {&f, &another}) {
        one->link.start();
        one->settle();
    }
    const auto first = announced_on(*f.links[0]);
    ASSERT_TRUE(first);
    EXPECT_TRUE(first->features.renewal);
    EXPECT_EQ(first->instance.size(), 16u);
    f.links[0]->send(mqtt::ConnAck{});
    f.settle();
    f.links[0]->send(mqtt::SubAck{1, {0, 0}});
    f.settle();
    f.pass(renewal);
    ASSERT_EQ(f.links.size(), 2u);
    EXPECT_EQ(announced_on(*f.links[1]), first);
    EXPECT_NE(announced_on(*another.links[0])->instance, first->instance);
}

TEST(HubLinkRenewal, IsNotAlarmedWhenTheHubDropsTheOldLinkDuringRenewal) {
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

TEST(HubLinkRenewal, KeepsTheOldLinkWhileRenewingFails) {
    HubLinkFixture f;
    f.start_and_let_in();
    f.refusal = Errc::hub_unreachable;
    f.pass(renewal);
    f.links[0]->send(mqtt::PingResp{});
    f.links[0]->send(HubLinkFixture::request("1"));
    f.settle();
    EXPECT_TRUE(f.log->contains("DS-201"));
    EXPECT_EQ(f.requests.size(), 1u);
    f.refusal.reset();
    f.pass(500ms);
    ASSERT_EQ(f.links.size(), 2u);
    f.let_in(*f.links[1]);
    EXPECT_TRUE(f.log->contains("link to the hub renewed"));
}

TEST(HubLinkRenewal, DoesNotRenewAReadyMadeToken) {
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

TEST(HubLinkRenewal, AnswersOnTheNewestLink) {
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

TEST(HubLinkRenewal, RepeatsARecentAnswerOnANewLink) {
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

TEST(HubLinkRenewal, DoesNotRepeatOldAnswers) {
    HubLinkFixture f;
    f.start_and_let_in();
    f.link.answer({200, "7"}, true);
    f.settle();
    f.pass(11s);
    f.reconnect();
    EXPECT_FALSE(f.links[1]->next());
}

TEST(HubLinkRenewal, NeverRepeatsAnswersToAForeignHub) {
    HubLinkFixture f;
    f.start_and_let_in();
    f.link.answer({200, "7"}, false);
    f.settle();
    f.reconnect();
    EXPECT_FALSE(f.links[1]->next());
}

TEST(HubLinkRenewal, LeavesBothLinksDuringRenewal) {
    HubLinkFixture f;
    f.start_and_let_in();
    f.pass(renewal);
    f.link.leave();
    f.settle();
    EXPECT_FALSE(f.is_done());
    f.links[0]->close();
    EXPECT_TRUE(f.is_done());
}

TEST(HubLinkRenewal, ReplacesTheLinkWhenTheCredentialChanges) {
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

TEST(HubLinkRenewal, KeepsTheLinkWhenNothingOfItChanges) {
    HubLinkFixture f;
    f.start_and_let_in();
    auto settings = f.settings;
    settings.backoff.longest = 30s;
    f.link.apply(settings);
    f.settle();
    EXPECT_EQ(f.links.size(), 1u);
}

TEST(HubLinkRenewal, TriesANewCredentialWithoutWaiting) {
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

}  // namespace
}  // namespace device_streams::device
