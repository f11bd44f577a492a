#include "hub/limits/peer_fault_log.hpp"

#include "tests/support/captured_log.hpp"
#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

namespace device_streams::hub {
namespace {

using namespace std::chrono_literals;

class ComplaintsTest : public testing::Test {
 protected:
    std::shared_ptr<test::CapturedLog> captured = std::make_shared<test::CapturedLog>();
    test::ManualClock clock;
    PeerFaultLog peer_faults{Log(captured), clock, {.events = 3, .window = 10s}};
};

TEST_F(ComplaintsTest, LineNamesPeerCodeReasonAndNextStep) {
    peer_faults.report("203.0.113.7:4711", Errc::peer_garbage, "no request line");
    ASSERT_EQ(captured->lines().size(), 1u);
    const auto line = captured->lines()[0];
    EXPECT_NE(line.find("warning"), std::string::npos);
    EXPECT_NE(line.find("code=DS-602"), std::string::npos);
    EXPECT_NE(line.find("peer=203.0.113.7:4711"), std::string::npos);
    EXPECT_NE(line.find("reason=no request line"), std::string::npos);
    EXPECT_NE(line.find("next="), std::string::npos);
}

TEST_F(ComplaintsTest, FloodBecomesACount) {
    for (int i = 0; i < 1000; ++i) peer_faults.report("peer", Errc::peer_garbage, "noise");
    EXPECT_EQ(captured->lines().size(), 3u);
    clock.advance(10s);
    peer_faults.report("peer", Errc::peer_garbage, "noise");
    ASSERT_EQ(captured->lines().size(), 5u);
    EXPECT_NE(captured->lines()[3].find("lines_left_out=997"), std::string::npos);
}

TEST_F(ComplaintsTest, QuietPeersAreNotCounted) {
    peer_faults.report("peer", Errc::peer_garbage, "noise");
    clock.advance(10s);
    peer_faults.report("peer", Errc::peer_garbage, "noise");
    EXPECT_EQ(captured->lines().size(), 2u);
}

}  // namespace
}  // namespace device_streams::hub
