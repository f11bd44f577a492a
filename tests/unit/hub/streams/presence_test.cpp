#include "hub/streams/presence.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace device_streams::hub {
namespace {

using namespace std::chrono_literals;

class PresenceTest : public testing::Test {
 protected:
    LinkNumber subscribed_link(const iothub::Target& target) {
        const auto link = presence.link_up(target, std::nullopt, now).link;
        EXPECT_TRUE(presence.subscribe(link));
        return link;
    }
    bool counts_as_online(const iothub::Target& target) {
        const auto state = presence.state_of(target);
        return state.subscribed_link || state.grace_until > now;
    }

    bool has_link(const iothub::Target& target) const {
        const auto online = presence.online();
        return std::ranges::find(online, target) != online.end();
    }

    Presence presence{PresenceLimits{.offline_grace = 5s}};
    Clock::time_point now{1h};
    const iothub::Target pump{"pump-17", {}};
    const iothub::Target module{"pump-17", "tunnel"};
};

TEST_F(PresenceTest, UnknownIdentityIsOffline) {
    EXPECT_FALSE(has_link(pump));
    EXPECT_FALSE(counts_as_online(pump));
}

TEST_F(PresenceTest, LinkWithoutSubscriptionTakesNoRequests) {
    presence.link_up(pump, std::nullopt, now);
    EXPECT_TRUE(has_link(pump));
    EXPECT_FALSE(counts_as_online(pump));
}

TEST_F(PresenceTest, SubscribedLinkTakesRequests) {
    const auto link = subscribed_link(pump);
    EXPECT_EQ(presence.state_of(pump).subscribed_link, link);
    EXPECT_EQ(*presence.target_of(link), pump);
}

TEST_F(PresenceTest, KeepsWhatTheClientAnnounced) {
    const auto link = presence.link_up(pump, Features{.half_close = true, .big_frames = false}, now).link;
    presence.subscribe(link);
    EXPECT_TRUE(presence.state_of(pump).announced->half_close);
}

TEST_F(PresenceTest, DeviceAndModuleAreTwoIdentities) {
    subscribed_link(pump);
    EXPECT_FALSE(has_link(module));
}

TEST_F(PresenceTest, SecondLinkReplacesTheFirst) {
    const auto first = subscribed_link(pump);
    const auto up = presence.link_up(pump, std::nullopt, now);
    EXPECT_EQ(up.replaced, first);
    EXPECT_FALSE(presence.state_of(pump).subscribed_link);
    EXPECT_EQ(*presence.target_of(first), pump) << "the old link may still deliver answers";
}

TEST_F(PresenceTest, ReplacedLinkCannotSubscribeAnyMore) {
    const auto first = presence.link_up(pump, std::nullopt, now).link;
    presence.link_up(pump, std::nullopt, now);
    EXPECT_FALSE(presence.subscribe(first));
    EXPECT_FALSE(presence.state_of(pump).subscribed_link);
}

TEST_F(PresenceTest, EndOfReplacedLinkDoesNotTakeTheNewOneDown) {
    const auto first = subscribed_link(pump);
    const auto second = subscribed_link(pump);
    presence.link_down(first, now);
    EXPECT_EQ(presence.state_of(pump).subscribed_link, second);
}

TEST_F(PresenceTest, FullHubTakesNoMoreIdentitiesButReplacesTheirLinks) {
    presence.set_limits({.offline_grace = 5s, .linked_devices = 1});
    EXPECT_TRUE(presence.has_room_for(pump));
    const auto link = subscribed_link(pump);
    EXPECT_FALSE(presence.has_room_for(module));
    EXPECT_TRUE(presence.has_room_for(pump));
    presence.link_down(link, now);
    EXPECT_TRUE(presence.has_room_for(module)) << "its grace takes no place";
    subscribed_link(module);
    EXPECT_FALSE(presence.has_room_for(pump)) << "nor keeps one";
    presence.set_limits({.offline_grace = 5s, .linked_devices = 0});
    EXPECT_TRUE(presence.has_room_for(pump));
}

TEST_F(PresenceTest, LinksThatAreOnTheirWayOutTakeNoPlace) {
    const iothub::Target second{"pump-18", {}}, third{"pump-19", {}}, fourth{"pump-20", {}};
    presence.set_limits({.offline_grace = 5s, .linked_devices = 2});
    const auto replaced = subscribed_link(pump);
    const auto current = subscribed_link(pump);
    EXPECT_TRUE(presence.has_room_for(second)) << "one of the two is replaced";
    subscribed_link(second);
    EXPECT_FALSE(presence.has_room_for(third));
    presence.forget(pump);
    EXPECT_TRUE(presence.has_room_for(third)) << "revoked";
    presence.link_down(replaced, now);
    presence.link_down(current, now);
    subscribed_link(third);
    EXPECT_FALSE(presence.has_room_for(fourth)) << "each was given back once";
}

TEST_F(PresenceTest, TellsARenewalFromASecondMachine) {
    const LinkClient client{{}, "192.0.2.7:5000", 1h};
    EXPECT_FALSE(presence.link_up(pump, std::nullopt, now, {}, client).renewal) << "it replaces nothing";
    now += 48min;
    EXPECT_TRUE(presence.link_up(pump, std::nullopt, now, {}, client).renewal);
    now += 5s;
    EXPECT_FALSE(presence.link_up(pump, std::nullopt, now, {}, client).renewal) << "its age begins anew";
    EXPECT_FALSE(presence.link_up(module, std::nullopt, now, {}, client).renewal);
}

TEST_F(PresenceTest, TakeoverOfSubscribedLinkGivesGrace) {
    subscribed_link(pump);
    presence.link_up(pump, std::nullopt, now);
    now += 5s - 1ms;
    EXPECT_TRUE(counts_as_online(pump));
    now += 1ms;
    EXPECT_FALSE(counts_as_online(pump));
}

TEST_F(PresenceTest, DropOfSubscribedLinkGivesGrace) {
    const auto link = subscribed_link(pump);
    presence.link_down(link, now);
    EXPECT_FALSE(has_link(pump));
    now += 5s - 1ms;
    EXPECT_TRUE(counts_as_online(pump));
    now += 1ms;
    EXPECT_FALSE(counts_as_online(pump));
}

TEST_F(PresenceTest, DropDuringGraceDoesNotLengthenIt) {
    presence.link_down(subscribed_link(pump), now);
    now += 2s;
    presence.link_down(presence.link_up(pump, std::nullopt, now).link, now);
    now += 3s - 1ms;
    EXPECT_TRUE(counts_as_online(pump));
    now += 1ms;
    EXPECT_FALSE(counts_as_online(pump));
}

TEST_F(PresenceTest, LinkThatNeverSubscribedLeavesNoGrace) {
    presence.link_down(presence.link_up(pump, std::nullopt, now).link, now);
    EXPECT_FALSE(counts_as_online(pump));
}

TEST_F(PresenceTest, UnsubscribedDeviceHasNoGrace) {
    const auto link = subscribed_link(pump);
    presence.unsubscribe(link);
    EXPECT_FALSE(counts_as_online(pump));
    presence.link_down(link, now);
    EXPECT_FALSE(counts_as_online(pump));
}

TEST_F(PresenceTest, RemovedDeviceLosesItsLinksModulesAndGrace) {
    const auto link = subscribed_link(pump);
    const auto module_link = subscribed_link(module);
    auto dropped = presence.forget(pump);
    std::ranges::sort(dropped);
    EXPECT_EQ(dropped, (std::vector<LinkNumber>{link, module_link}));
    presence.link_down(link, now);
    EXPECT_FALSE(counts_as_online(pump));
    EXPECT_FALSE(counts_as_online(module));
}

TEST_F(PresenceTest, RemovedModuleLeavesItsDevice) {
    const auto link = subscribed_link(pump);
    const auto module_link = subscribed_link(module);
    EXPECT_EQ(presence.forget(module), std::vector<LinkNumber>{module_link});
    EXPECT_EQ(presence.state_of(pump).subscribed_link, link);
}

}  // namespace
}  // namespace device_streams::hub
