#include "common/device_client/hub_link.hpp"
#include "tests/unit/device_client/scripted_hub.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace device_streams::device {
namespace {

using namespace std::chrono_literals;
using test::HubLinkFixture;

constexpr std::int64_t years_back = 1'577'836'800;  // 2020-01-01

struct HubLinkClock : testing::Test, HubLinkFixture {
    explicit HubLinkClock(LinkSettings with = default_settings()) : HubLinkFixture(1.0, std::move(with)) {}

    std::size_t warnings() const {
        const auto lines = log->lines();
        return static_cast<std::size_t>(
            std::ranges::count_if(lines, [](const auto& line) { return line.starts_with("warning"); }));
    }
    void refuse_login() {
        link.start();
        settle();
        links.at(0)->send(mqtt::ConnAck{false, 5});
        settle();
    }
};

TEST_F(HubLinkClock, BehindTheHubsCertificateIsToldOnceHoweverOftenItIsTried) {
    refusal = Errc::clock_behind;
    link.start();
    for (int i = 0; i < 10; ++i) pass(60s);
    EXPECT_EQ(warnings(), 1u) << log->lines().back();
    EXPECT_GE(tries, 10u);

    refusal = Errc::hub_unreachable;
    pass(60s);
    refusal = Errc::clock_behind;
    pass(60s);
    EXPECT_EQ(warnings(), 3u) << "after something else it is news again";
}

TEST_F(HubLinkClock, IsToldAgainAfterALinkThatWasUp) {
    start_and_let_in();
    for (const std::size_t newest : {0u, 1u}) {
        refusal = Errc::clock_behind;
        pass(48min);  // renewal
        links.at(newest)->send(mqtt::PingResp{});
        settle();
        EXPECT_EQ(warnings(), newest + 1) << log->lines().back();
        refusal.reset();
        pass(2s);
        let_in(*links.at(newest + 1));
    }
}

TEST_F(HubLinkClock, OnceSetEndsTheWaitWhateverItWasFor) {
    for (const auto reason : {Errc::clock_behind, Errc::hub_unreachable}) {
        HubLinkFixture f(1.0);
        f.clock.set_wall(years_back);
        f.refusal = reason;
        f.link.start();
        f.settle();
        for (const auto wait : {1s, 2s, 4s, 8s, 16s, 32s}) f.pass(wait);
        f.refusal.reset();
        f.pass(10s);
        EXPECT_TRUE(f.links.empty()) << "it waits for a minute";
        f.clock.set_wall(years_back + 200'000'000);
        f.pass(5s);
        EXPECT_EQ(f.links.size(), 1u);
    }
}

TEST_F(HubLinkClock, OnceSetEndsTheWaitAfterARefusedLogin) {
    clock.set_wall(years_back);
    refuse_login();
    clock.set_wall(years_back + 200'000'000);
    pass(5s);
    EXPECT_EQ(links.size(), 2u);
}

TEST_F(HubLinkClock, SetWhileATryWasUnderWayMakesTheNextOneFollowAtOnce) {
    clock.set_wall(years_back);
    link.start();
    settle();
    clock.set_wall(years_back + 200'000'000);
    links.at(0)->send(mqtt::ConnAck{false, 5});
    settle();
    EXPECT_EQ(links.size(), 2u);
}

TEST_F(HubLinkClock, SetWhileTheLinkIsUpLeavesItAndItsBackoffAsTheyAre) {
    clock.set_wall(years_back);
    start_and_let_in();
    clock.set_wall(years_back + 200'000'000);
    pass(10s);
    EXPECT_EQ(links.size(), 1u);
    links.at(0)->close();
    settle();
    EXPECT_EQ(links.size(), 1u);
    pass(1s);
    EXPECT_EQ(links.size(), 2u);
}

TEST_F(HubLinkClock, ExplainsARefusedTokenThatTheHubSawExpire) {
    hub_ahead = 3600s;
    refuse_login();
    EXPECT_TRUE(log->contains("DS-219 this machine's clock is behind: "));
    EXPECT_TRUE(
        log->contains("CONNACK 5); the hub's clock is 3600 s ahead of this machine's, by which it is 2026-01-01T"))
        << log->lines().back();
}

TEST_F(HubLinkClock, SmallerDifferencesAreMentionedOnly) {
    hub_ahead = 3599s;
    refuse_login();
    EXPECT_TRUE(log->contains("DS-207"));
    EXPECT_TRUE(log->contains("the hub's clock is 3599 s ahead of this machine's"));
}

TEST_F(HubLinkClock, IsNotMentionedWhereItAgreesWithTheHubs) {
    hub_ahead = 1s;
    refuse_login();
    EXPECT_TRUE(log->contains("(CONNACK 5). "));
}

TEST_F(HubLinkClock, IsShownWhereTheHubHasNotSaidItsOwn) {
    refuse_login();
    EXPECT_TRUE(log->contains("DS-207"));
    EXPECT_TRUE(log->contains("(CONNACK 5); by this machine's clock it is 2026-01-01T00:00:0")) << log->lines().back();
}

struct HubLinkWithReadyMadeToken : HubLinkClock {
    static LinkSettings ready_made() {
        auto made = default_settings();
        made.identity.key = Secret();
        made.identity.token = Secret("SharedAccessSignature sr=a&sig=b&se=1");
        return made;
    }
    HubLinkWithReadyMadeToken() : HubLinkClock(ready_made()) {}
};

TEST_F(HubLinkWithReadyMadeToken, HasNothingToDoWithTheClock) {
    hub_ahead = 100'000'000s;
    refuse_login();
    EXPECT_TRUE(log->contains("DS-207"));
    EXPECT_TRUE(log->contains("(CONNACK 5). "));
}

TEST_F(HubLinkClock, ThatDiffersIsToldWithALinkThatIsUp) {
    hub_ahead = -500s;
    start_and_let_in();
    EXPECT_TRUE(log->contains("warning the hub's clock is 500 s behind this machine's"));
    EXPECT_TRUE(log->contains("tokens may be refused"));
}

}  // namespace
}  // namespace device_streams::device
