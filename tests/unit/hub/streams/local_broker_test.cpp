#include "hub/streams/local_broker.hpp"

#include "tests/support/captured_log.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/memory_stream.hpp"

#include <gtest/gtest.h>

namespace device_streams::hub {
namespace {

using namespace std::chrono_literals;
using Legs = std::vector<std::unique_ptr<ByteStream>>;

// The broker with one device online, whose bridges and orders are recorded instead of obeyed.
class LocalBrokerTest : public testing::Test {
 protected:
    LocalBrokerTest() {
        link = test::run(io, broker->link_up({pump}, link_orders)).value();
        broker->start_requests(link);
    }
    ~LocalBrokerTest() override { test::poll(io); }

    LocalBroker::Parts parts() {
        const auto bridge = [this](const StreamRef&, auto, auto) { seen.push_back("bridge"); };
        const auto close_alone = [this](auto, CloseReason close_reason) {
            seen.push_back("close " + std::string(to_string(close_reason)));
        };
        const auto cut = [this](const Revocation& revoked) { seen.push_back("cut " + revoked.target->to_string()); };
        return {clock, Log(lines, LogLevel::debug), bridge, close_alone, cut};
    }
    // A stream whose two legs have been told to join, and have not come yet.
    void open_joining_stream() {
        test::Running<RequestResult> asking(io, broker->request({pump, "ssh.0a1b2c3d", {}, {}, {}}));
        test::poll(io);
        const auto order = link_orders.try_next();
        const auto& request = std::get<DeviceRequest>(order.value());
        broker->take_answer(link, {200, request.request_id});
        leg_grant = {request.stream_id, pump, StreamRole::device};
        for (const auto role : {StreamRole::device, StreamRole::service}) {
            leg_grant.role = role;
            Channel<LegOrder> orders(io.get_executor());
            ASSERT_EQ(test::run(io, broker->admit(leg_grant, orders)).verdict, Admission::Verdict::admitted);
        }
        test::poll(io);
        ASSERT_TRUE(asking.done());
    }
    void hand_over(StreamRole role) {
        auto [near, far] = test::make_memory_streams(io.get_executor());
        broker->hand_over(leg_grant.stream_id, role, std::move(near));
        test::poll(io);
    }

    asio::io_context io{1};
    test::ManualClock clock;
    std::shared_ptr<test::CapturedLog> lines = std::make_shared<test::CapturedLog>();
    std::vector<std::string> seen;
    std::shared_ptr<LocalBroker> broker = std::make_shared<LocalBroker>(
        asio::make_strand(asio::any_io_executor(io.get_executor())), parts(), PairingLimits(), PresenceLimits());
    const iothub::Target pump{"pump-17", {}};
    Channel<LinkOrder> link_orders{io.get_executor()};
    LinkNumber link = 0;
    LegTokens::Checked leg_grant;
};

TEST_F(LocalBrokerTest, TwoLegsBecomeABridge) {
    open_joining_stream();
    hand_over(StreamRole::service);
    EXPECT_TRUE(seen.empty());
    hand_over(StreamRole::device);
    EXPECT_EQ(seen, std::vector<std::string>{"bridge"});
}

TEST_F(LocalBrokerTest, StreamOfAnIdentityRemovedWhileItsLegsJoinIsRefused) {
    open_joining_stream();
    hand_over(StreamRole::service);
    broker->revoke(pump);
    hand_over(StreamRole::device);
    EXPECT_EQ(seen, (std::vector<std::string>{"cut pump-17", "close refused", "close refused"}));
    EXPECT_TRUE(lines->contains("DS-601"));
}

// The bridge passes on how it ended.
TEST_F(LocalBrokerTest, LegThatEndsWhenItWasToldToJoinIsHandedOver) {
    open_joining_stream();
    EXPECT_FALSE(test::run(io, broker->leg_leaves(leg_grant.stream_id, StreamRole::service)));
    hand_over(StreamRole::service);
    hand_over(StreamRole::device);
    EXPECT_EQ(seen, std::vector<std::string>{"bridge"});
}

TEST_F(LocalBrokerTest, LegThatIsGoneWhenItWasToldToJoinEndsTheOther) {
    open_joining_stream();
    broker->leg_left(leg_grant.stream_id, StreamRole::service);
    hand_over(StreamRole::device);
    EXPECT_EQ(seen, std::vector<std::string>{"close lost"});
    EXPECT_TRUE(lines->contains("one leg was lost just before the other came"));
}

TEST_F(LocalBrokerTest, RequestIdThatADeviceInventsIsCutInTheLog) {
    broker->take_answer(link, {200, std::string(65'000, '7')});
    test::poll(io);
    EXPECT_TRUE(lines->contains("stale answer ignored device=pump-17 request=7777"));
    EXPECT_LT(lines->lines().back().size(), 200u);
}

// Else a stream could begin between the two and run on.
TEST_F(LocalBrokerTest, RunningStreamsAreCutInTurnWithThoseThatBegin) {
    open_joining_stream();
    hand_over(StreamRole::service);
    auto [near, far] = test::make_memory_streams(io.get_executor());
    broker->hand_over(leg_grant.stream_id, StreamRole::device, std::move(near));
    broker->revoke(pump);
    EXPECT_TRUE(seen.empty());
    test::poll(io);
    EXPECT_EQ(seen, (std::vector<std::string>{"bridge", "cut pump-17"}));
}

}  // namespace
}  // namespace device_streams::hub
