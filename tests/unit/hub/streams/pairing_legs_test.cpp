#include "tests/unit/hub/streams/pairing_fixture.hpp"

namespace device_streams::hub {
namespace {

// Legs.

TEST_F(PairingTest, LegsJoinInBothOrders) {
    for (const auto first : {device, service}) {
        const auto second = first == device ? service : device;
        const auto stream = granted(open_delivered().request_id).stream_id;
        EXPECT_TRUE(attach(stream, first).empty());
        const auto joins = only<Join>(attach(stream, second));
        ASSERT_EQ(joins.size(), 1u);
        EXPECT_EQ(joins[0].stream.stream_id, stream);
        EXPECT_EQ(joins[0].stream.target, pump);
        EXPECT_EQ(pairing.size(), 0u);
        EXPECT_EQ(pairing.next_deadline(), std::nullopt);
    }
}

TEST_F(PairingTest, DeviceLegIsAdmittedBeforeTheAccept) {
    const auto delivery = open_delivered();
    EXPECT_TRUE(attach(delivery.stream_id, device).empty());
    granted(delivery.request_id);
    EXPECT_EQ(only<Join>(attach(delivery.stream_id, service)).size(), 1u);
}

TEST_F(PairingTest, LegsOfTwoStreamsWithTheSameNameStayApart) {
    const auto one = granted(open_delivered().request_id).stream_id;
    const auto two = granted(open_delivered().request_id).stream_id;
    attach(one, device);
    EXPECT_TRUE(attach(two, service).empty());
    EXPECT_EQ(only<Join>(attach(two, device)).at(0).stream.stream_id, two);
    EXPECT_EQ(only<Join>(attach(one, service)).at(0).stream.stream_id, one);
}

TEST_F(PairingTest, SameRoleTwiceIsTaken) {
    const auto stream = granted(open_delivered().request_id).stream_id;
    attach(stream, device);
    EXPECT_EQ(admit(stream, device), Verdict::role_taken);
}

TEST_F(PairingTest, UnknownUsedOrForeignStreamIsUnknown) {
    EXPECT_EQ(admit("nothing", device), Verdict::unknown_stream);
    const auto stream = granted(open_delivered().request_id).stream_id;
    EXPECT_EQ(pairing.admit(stream, device, module).verdict, Verdict::unknown_stream);
    attach(stream, device);
    attach(stream, service);
    EXPECT_EQ(admit(stream, device), Verdict::unknown_stream);
}

TEST_F(PairingTest, WaitingLegIsEndedAtTheDeadline) {
    const auto stream = granted(open_delivered().request_id).stream_id;
    attach(stream, service);
    EXPECT_TRUE(after(60s - 1ms).empty());
    const auto actions = after(1ms);
    const auto ended = only<EndLeg>(actions);
    ASSERT_EQ(ended.size(), 1u);
    EXPECT_EQ(ended[0].role, service);
    EXPECT_EQ(ended[0].close_reason, CloseReason::lost);
    EXPECT_EQ(only<Abandon>(actions).size(), 1u);
    EXPECT_TRUE(only<Reply>(actions).empty()) << "it was answered before";
    EXPECT_EQ(admit(stream, device), Verdict::unknown_stream) << "a stale WebSocket";
}

TEST_F(PairingTest, EarlyDeviceLegIsEndedWhenTheDeviceRejects) {
    const auto delivery = open_delivered();
    attach(delivery.stream_id, device);
    const auto ended = only<EndLeg>(pairing.answered(pump, {400, delivery.request_id}));
    ASSERT_EQ(ended.size(), 1u);
    EXPECT_EQ(ended[0].close_reason, CloseReason::lost);
}

TEST_F(PairingTest, EarlyDeviceLegIsEndedWhenNoAnswerComes) {
    const auto delivery = open_delivered();
    attach(delivery.stream_id, device);
    EXPECT_EQ(only<EndLeg>(after(30s)).size(), 1u);
}

TEST_F(PairingTest, LegThatLeavesBeforeTheOtherCameEndsTheStream) {
    const auto stream = granted(open_delivered().request_id).stream_id;
    attach(stream, service);
    EXPECT_EQ(only<Abandon>(pairing.leg_left(stream, service)).size(), 1u);
    EXPECT_EQ(pairing.size(), 0u);
    EXPECT_EQ(admit(stream, device), Verdict::unknown_stream);
}

TEST_F(PairingTest, DeviceLegThatLeftEarlyMayStillReject) {
    const auto delivery = open_delivered();
    attach(delivery.stream_id, device);
    EXPECT_TRUE(pairing.leg_left(delivery.stream_id, device).empty());
    const auto replies = only<Reply>(pairing.answered(pump, {400, delivery.request_id}));
    EXPECT_TRUE(std::holds_alternative<Rejected>(replies.at(0).result));
}

TEST_F(PairingTest, AcceptWithoutItsLegIsAFailureForTheService) {
    const auto delivery = open_delivered();
    attach(delivery.stream_id, device);
    pairing.leg_left(delivery.stream_id, device);
    EXPECT_EQ(refused(accept(delivery.request_id)), RestError::gateway_timeout);
    EXPECT_EQ(pairing.size(), 0u);
}

TEST_F(PairingTest, LegThatLeftIsNotAdmittedAgain) {
    const auto delivery = open_delivered();
    attach(delivery.stream_id, device);
    pairing.leg_left(delivery.stream_id, device);
    EXPECT_EQ(admit(delivery.stream_id, device), Verdict::role_taken);
}

// Cancelling.

TEST_F(PairingTest, ServiceThatGoesAwayCancelsTheRequest) {
    const auto delivery = open_delivered();
    attach(delivery.stream_id, device);
    const auto actions = pairing.cancel(request);
    EXPECT_TRUE(only<Reply>(actions).empty()) << "nobody is there to hear it";
    EXPECT_EQ(only<EndLeg>(actions).size(), 1u);
    EXPECT_TRUE(accept(delivery.request_id).empty());
    EXPECT_EQ(pairing.size(), 0u);
}

TEST_F(PairingTest, ServiceThatGoesAwayBeforeItsLegCameEndsTheStream) {
    const auto stream = granted(open_delivered().request_id).stream_id;
    attach(stream, device);
    const auto actions = pairing.cancel(request);
    EXPECT_EQ(only<Abandon>(actions).at(0).why, "the service went away before its leg came");
    EXPECT_EQ(only<EndLeg>(actions).at(0).role, device);
    EXPECT_EQ(only<EndLeg>(actions).at(0).close_reason, CloseReason::lost);
    EXPECT_EQ(pairing.size(), 0u);
    EXPECT_EQ(admit(stream, service), Verdict::unknown_stream);
}

TEST_F(PairingTest, DeviceLegThatComesAfterTheServiceWentIsUnknown) {
    const auto stream = granted(open_delivered().request_id).stream_id;
    pairing.cancel(request);
    EXPECT_EQ(admit(stream, device), Verdict::unknown_stream);
}

TEST_F(PairingTest, ServiceThatHasALegCannotCancel) {
    const auto stream = granted(open_delivered().request_id).stream_id;
    EXPECT_EQ(admit(stream, service), Verdict::admitted);
    EXPECT_TRUE(pairing.cancel(request).empty());
    pairing.join(stream);
    EXPECT_TRUE(pairing.cancel(request).empty());
    EXPECT_EQ(only<Join>(attach(stream, device)).size(), 1u);
    EXPECT_TRUE(pairing.cancel(request).empty());
}

TEST_F(PairingTest, RemovalOfADeviceFailsItsRequestsAndThoseOfItsModules) {
    open_delivered();
    auto of_module = open_request();
    of_module.target = module;
    open_delivered(of_module, subscribed(2));
    const auto replies = only<Reply>(pairing.forget(pump));
    ASSERT_EQ(replies.size(), 2u);
    EXPECT_EQ(std::get<Refused>(replies[0].result).error, RestError::device_not_found);
    EXPECT_EQ(std::get<Refused>(replies[1].result).error, RestError::module_not_found);
}

TEST_F(PairingTest, RemovalEndsWaitingLegsAsRefused) {
    const auto stream = granted(open_delivered().request_id).stream_id;
    attach(stream, service);
    EXPECT_EQ(only<EndLeg>(pairing.forget(pump)).at(0).close_reason, CloseReason::refused);
}

TEST_F(PairingTest, ATakenAwayRuleFailsTheRequestsThatRestOnIt) {
    auto by_policy = open_request();
    by_policy.grant = {"ops", {}, "ssh", "* *"};
    open_delivered(by_policy, subscribed(1));
    EXPECT_TRUE(pairing.forget(Revocation(PolicyChange{"others", std::nullopt})).empty());
    const auto replies = only<Reply>(pairing.forget(Revocation(PolicyChange{"ops", std::nullopt})));
    ASSERT_EQ(replies.size(), 1u);
    EXPECT_EQ(std::get<Refused>(replies[0].result).error, RestError::unauthorized);
    EXPECT_EQ(std::get<Refused>(replies[0].result).text, "the policy was removed");
}

TEST_F(PairingTest, StopFailsWhatIsPending) {
    const auto stream = granted(open_delivered().request_id).stream_id;
    attach(stream, service);
    open(open_request(10s));
    const auto actions = pairing.stop();
    EXPECT_EQ(refused(actions), RestError::server_error);
    EXPECT_EQ(only<EndLeg>(actions).at(0).close_reason, CloseReason::stopping);
    EXPECT_EQ(pairing.size(), 0u);
    EXPECT_EQ(pairing.next_deadline(), std::nullopt);
}

}  // namespace
}  // namespace device_streams::hub
