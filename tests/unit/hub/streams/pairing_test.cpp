#include "tests/unit/hub/streams/pairing_fixture.hpp"

namespace device_streams::hub {
namespace {

// Delivery.

TEST_F(PairingTest, RequestToSubscribedDeviceIsDeliveredAtOnce) {
    const auto deliver = only<Deliver>(open(open_request(), subscribed(7))).at(0);
    EXPECT_EQ(deliver.link, 7u);
    const auto& delivery = deliver.request;
    EXPECT_EQ(delivery.request_id, "1");
    EXPECT_EQ(delivery.stream_id, "sid-1");
    EXPECT_EQ(delivery.name, "ssh.0a1b2c3d");
    EXPECT_EQ(delivery.deadline, clock.now() + 60s);
}

TEST_F(PairingTest, RequestIdsCountThroughTheWholeHub) {
    open_delivered();
    auto other = open_request();
    other.target = module;
    EXPECT_EQ(open_delivered(other, subscribed(2)).request_id, "2");
}

TEST_F(PairingTest, OfflineDeviceWithoutConnectTimeoutIsRefusedAtOnce) {
    EXPECT_EQ(refused(open(open_request())), RestError::device_not_online);
    EXPECT_EQ(pairing.size(), 0u);
}

TEST_F(PairingTest, OfflineDeviceIsWaitedForDuringTheConnectTimeout) {
    EXPECT_TRUE(open(open_request(10s)).empty());
    EXPECT_EQ(pairing.next_deadline(), clock.now() + 10s);
    EXPECT_TRUE(after(10s - 1ms).empty());
    EXPECT_EQ(refused(after(1ms)), RestError::device_not_online);
}

TEST_F(PairingTest, WaitingRequestIsDeliveredAsSoonAsTheDeviceSubscribes) {
    open(open_request(10s));
    clock.advance(3s);
    const auto deliveries = only<Deliver>(pairing.device_subscribed(pump, 7, {}, clock.now()));
    ASSERT_EQ(deliveries.size(), 1u);
    EXPECT_EQ(deliveries[0].link, 7u);
    EXPECT_EQ(deliveries[0].request.deadline, clock.now() + 57s) << "the handshake deadline runs from the request";
}

TEST_F(PairingTest, GraceCountsAsOnlineWithoutConnectTimeout) {
    const DeviceState in_grace{.grace_until = clock.now() + 5s};
    EXPECT_TRUE(open(open_request(), in_grace).empty());
    EXPECT_TRUE(after(5s - 1ms).empty());
    EXPECT_EQ(refused(after(1ms)), RestError::device_not_online);
}

TEST_F(PairingTest, LongerOfGraceAndConnectTimeoutCounts) {
    const DeviceState in_grace{.grace_until = clock.now() + 5s};
    open(open_request(10s), in_grace);
    EXPECT_EQ(pairing.next_deadline(), clock.now() + 10s);
}

TEST_F(PairingTest, SubscriptionOfAnotherIdentityDeliversNothing) {
    open(open_request(10s));
    EXPECT_TRUE(pairing.device_subscribed(module, 7, {}, clock.now()).empty());
}

TEST_F(PairingTest, RepeatedSubscriptionOfTheSameLinkDeliversNothingTwice) {
    open_delivered();
    EXPECT_TRUE(pairing.device_subscribed(pump, 1, {}, clock.now()).empty());
}

TEST_F(PairingTest, TooManyPendingRequestsAreThrottled) {
    for (int i = 0; i < 3; ++i) open_delivered();
    EXPECT_EQ(refused(open(open_request(), subscribed())), RestError::throttled);
}

TEST_F(PairingTest, OneDeviceCannotTakeAllTheRoomForPendingRequests) {
    pairing.set_limits({.pending = 10, .pending_per_device = 2});
    open_delivered();
    const auto second = open_delivered();
    EXPECT_EQ(refused(open(open_request(), subscribed())), RestError::throttled);
    auto other = open_request();
    other.target = module;
    open_delivered(other, subscribed(2));
    pairing.answered(pump, {400, second.request_id});
    open_delivered();
}

TEST_F(PairingTest, OnePolicyCannotTakeAllTheRoomForPendingRequests) {
    pairing.set_limits({.pending = 10, .pending_per_policy = 2});
    const auto of = [this](const char* policy) {
        auto what = open_request();
        what.grant.policy = policy;
        return what;
    };
    open_delivered(of("night"), subscribed());
    const auto second = open_delivered(of("night"), subscribed());
    EXPECT_EQ(refused(open(of("night"), subscribed())), RestError::throttled);
    open_delivered(of("day"), subscribed());
    pairing.answered(pump, {400, second.request_id});
    open_delivered(of("night"), subscribed());
}

// Answers.

TEST_F(PairingTest, AcceptIsRepliedBeforeAnyLegIsThere) {
    const auto delivery = open_delivered();
    const auto replies = only<Reply>(accept(delivery.request_id));
    ASSERT_EQ(replies.size(), 1u);
    EXPECT_EQ(replies[0].request, request);
    EXPECT_EQ(std::get<Granted>(replies[0].result).stream_id, delivery.stream_id);
    EXPECT_EQ(std::get<Granted>(replies[0].result).deadline, delivery.deadline);
}

TEST_F(PairingTest, AnyOtherStatusRejects) {
    const auto delivery = open_delivered();
    const auto replies = only<Reply>(pairing.answered(pump, {400, delivery.request_id, Errc::local_refused}));
    ASSERT_TRUE(std::holds_alternative<Rejected>(replies.at(0).result));
    EXPECT_EQ(std::get<Rejected>(replies.at(0).result).reason, Errc::local_refused);
    EXPECT_EQ(pairing.size(), 0u);
}

TEST_F(PairingTest, UnknownRepeatedAndForeignAnswersAreIgnored) {
    const auto delivery = open_delivered();
    EXPECT_TRUE(accept("999").empty());
    EXPECT_TRUE(pairing.answered(module, {200, delivery.request_id}).empty());
    granted(delivery.request_id);
    EXPECT_TRUE(accept(delivery.request_id).empty());
    EXPECT_TRUE(pairing.answered(pump, {400, delivery.request_id}).empty());
}

TEST_F(PairingTest, SilentDeviceEndsInGatewayTimeoutAfterTheDefault) {
    const auto delivery = open_delivered();
    EXPECT_TRUE(after(30s - 1ms).empty());
    EXPECT_EQ(refused(after(1ms)), RestError::gateway_timeout);
    EXPECT_TRUE(accept(delivery.request_id).empty()) << "a stale accept";
}

TEST_F(PairingTest, ResponseTimeoutIsTheServices) {
    open_delivered(open_request({}, 2500ms), subscribed());
    EXPECT_EQ(refused(after(2500ms)), RestError::gateway_timeout);
}

TEST_F(PairingTest, ResponseTimeoutIsClampedToTheHandshakeDeadline) {
    open(open_request(60s, 60s));
    clock.advance(50s);
    pairing.device_subscribed(pump, 1, {}, clock.now());
    EXPECT_EQ(pairing.next_deadline(), clock.now() + 10s);
}

TEST_F(PairingTest, HugeTimeoutsAreClamped) {
    open(open_request(24h * 365, 24h * 365));
    EXPECT_EQ(pairing.next_deadline(), clock.now() + 60s);
}

TEST_F(PairingTest, ResponseTimeRunsFromTheDelivery) {
    open(open_request(20s, 10s));
    clock.advance(15s);
    pairing.device_subscribed(pump, 1, {}, clock.now());
    EXPECT_TRUE(after(10s - 1ms).empty());
    EXPECT_EQ(refused(after(1ms)), RestError::gateway_timeout);
}

// Reconnects.

TEST_F(PairingTest, UnansweredRequestIsDeliveredAgainUnderFreshIds) {
    const auto first = open_delivered();
    const auto redelivery = only<Deliver>(pairing.device_subscribed(pump, 2, {}, clock.now())).at(0);
    EXPECT_EQ(redelivery.link, 2u);
    const auto& again = redelivery.request;
    EXPECT_NE(again.request_id, first.request_id);
    EXPECT_NE(again.stream_id, first.stream_id);
    EXPECT_EQ(again.deadline, first.deadline);
}

TEST_F(PairingTest, RedeliveryVoidsTheOldIds) {
    const auto first = open_delivered();
    const auto again = only<Deliver>(pairing.device_subscribed(pump, 2, {}, clock.now())).at(0).request;
    EXPECT_TRUE(accept(first.request_id).empty());
    EXPECT_EQ(admit(first.stream_id, device), Verdict::unknown_stream);
    EXPECT_EQ(granted(again.request_id).stream_id, again.stream_id);
}

TEST_F(PairingTest, RedeliveryDoesNotLengthenTheWait) {
    open_delivered();
    clock.advance(20s);
    pairing.device_subscribed(pump, 2, {}, clock.now());
    EXPECT_EQ(refused(after(10s)), RestError::gateway_timeout);
}

TEST_F(PairingTest, RequestWithALegIsNotDeliveredAgainAndAnsweredOnAnyLink) {
    const auto delivery = open_delivered();
    admit(delivery.stream_id, device);
    EXPECT_TRUE(pairing.device_subscribed(pump, 2, {}, clock.now()).empty());
    EXPECT_EQ(granted(delivery.request_id).stream_id, delivery.stream_id);
}

TEST_F(PairingTest, AcceptedRequestIsNotDeliveredAgain) {
    granted(open_delivered().request_id);
    EXPECT_TRUE(pairing.device_subscribed(pump, 2, {}, clock.now()).empty());
}

// Features.

struct FeatureCase {
    std::optional<Features> device, service, device_hears, service_hears;
};

class PairingFeatures : public PairingTest, public testing::WithParamInterface<FeatureCase> {};

TEST_P(PairingFeatures, EachLegHearsWhatItCanUseIfItAnnounced) {
    auto what = open_request();
    what.announced = GetParam().service;
    const auto delivery = open_delivered(what, {.subscribed_link = 1, .announced = GetParam().device});
    EXPECT_EQ(delivery.features, GetParam().device_hears);
    EXPECT_EQ(granted(delivery.request_id).features, GetParam().service_hears);
}

TEST_P(PairingFeatures, LegsAreAdmittedWithWhatTheyHeard) {
    auto what = open_request();
    what.announced = GetParam().service;
    const auto delivery = open_delivered(what, {.subscribed_link = 1, .announced = GetParam().device});
    const auto& stream = delivery.stream_id;
    EXPECT_EQ(pairing.admit(stream, device, pump).features, GetParam().device_hears.value_or(Features{}));
    EXPECT_EQ(pairing.admit(stream, service, pump).features, GetParam().service_hears.value_or(Features{}));
}

TEST_F(PairingTest, OnlyDevicesMayAskForTheNameOfThePolicy) {
    auto what = open_request();
    what.announced = device_hop_features;
    const auto delivery = open_delivered(what, {.subscribed_link = 1, .announced = device_hop_features});
    EXPECT_EQ(delivery.features, device_hop_features);
    EXPECT_EQ(granted(delivery.request_id).features, own_features);
}

constexpr Features all{.half_close = true, .big_frames = true};
constexpr Features big{.half_close = false, .big_frames = true};
constexpr Features nothing{};
INSTANTIATE_TEST_SUITE_P(
    Combinations, PairingFeatures,
    testing::Values(FeatureCase{.device = all, .service = all, .device_hears = all, .service_hears = all},
                    FeatureCase{.device = all, .service = {}, .device_hears = big, .service_hears = {}},
                    FeatureCase{.device = {}, .service = all, .device_hears = {}, .service_hears = big},
                    FeatureCase{.device = {}, .service = {}, .device_hears = {}, .service_hears = {}},
                    FeatureCase{.device = all, .service = nothing, .device_hears = big, .service_hears = nothing},
                    FeatureCase{.device = big, .service = all, .device_hears = big, .service_hears = big}));

TEST_F(PairingTest, FeaturesFollowTheLinkOfTheLastDelivery) {
    auto what = open_request();
    what.announced = all;
    open_delivered(what, {.subscribed_link = 1, .announced = all});
    const auto again = only<Deliver>(pairing.device_subscribed(pump, 2, std::nullopt, clock.now())).at(0).request;
    EXPECT_EQ(again.features, std::nullopt);
    EXPECT_EQ(granted(again.request_id).features, big);
}

TEST_F(PairingTest, NewLimitsHoldForNewRequestsOnly) {
    const auto before = open_delivered();
    pairing.set_limits({.handshake_timeout = 10s, .response_default = 5s, .pending = 3});
    EXPECT_EQ(open_delivered().deadline, clock.now() + 10s);
    EXPECT_EQ(granted(before.request_id).deadline, clock.now() + 60s);
}

}  // namespace
}  // namespace device_streams::hub
