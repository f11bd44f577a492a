#include "hub/limits/peer_fault_log.hpp"

#include "tests/support/captured_log.hpp"
#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace device_streams::hub {
namespace {

using namespace std::chrono_literals;

class ComplaintsTest : public testing::Test {
 protected:
    std::shared_ptr<test::CapturedLog> captured = std::make_shared<test::CapturedLog>();
    test::ManualClock clock;
    PeerFaultLog peer_faults{Log(captured), clock, {.of_fault = {6, 10s}, .of_source = 3, .denials_for_one = 2}};
    std::size_t lines_with(const std::string& text) const {
        return static_cast<std::size_t>(std::ranges::count_if(
            captured->lines(), [&](const auto& line) { return line.find(text) != std::string::npos; }));
    }
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

TEST_F(ComplaintsTest, FloodOfOneSourceLeavesRoomForOthers) {
    for (int i = 0; i < 100; ++i) peer_faults.report("203.0.113.7:1", Errc::peer_garbage, "noise");
    for (int i = 0; i < 100; ++i)
        peer_faults.report("[2001:db8:1:" + std::to_string(i) + "::1]:1", Errc::peer_garbage, "noise");
    EXPECT_EQ(lines_with("peer=203.0.113.7:1"), 3U);
    EXPECT_EQ(lines_with("peer=[2001:db8:1:"), 3U) << "a /48 is one source";
}

TEST_F(ComplaintsTest, FloodOfFewSourcesHidesNoneOfOthers) {
    const auto from = [&](int number) {
        for (int i = 0; i < 10; ++i)
            peer_faults.report("192.0.2." + std::to_string(number) + ":1", Errc::peer_garbage, "noise");
    };
    for (int number = 0; number < 8; ++number) from(number);
    EXPECT_EQ(lines_with("peer=192.0.2.0:1"), 3U);
    EXPECT_EQ(lines_with("peer=192.0.2.1:1"), 3U);
    for (int number = 2; number < 8; ++number)
        EXPECT_EQ(lines_with("peer=192.0.2." + std::to_string(number) + ":1"), 1U);
    from(8);
    EXPECT_EQ(lines_with("DS-602"), 12U) << "there is a limit for all";
}

TEST_F(ComplaintsTest, FloodOfOneFaultLeavesRoomForOthers) {
    for (int i = 0; i < 100; ++i)
        peer_faults.report("192.0.2." + std::to_string(i) + ":1", Errc::peer_garbage, "noise");
    EXPECT_EQ(lines_with("DS-602"), 12U);
    for (int i = 0; i < 100; ++i)
        peer_faults.report("203.0.113." + std::to_string(i / 10) + ":1", Errc::credential_refused, "denied");
    EXPECT_EQ(lines_with("reason=denied"), 12U + 8U) << "twice as much room, and a line for each other source";
    EXPECT_EQ(lines_with("peer=203.0.113.0:1"), 6U);
}

TEST_F(ComplaintsTest, WhatIsLeftOutIsToldForEachFault) {
    for (int i = 0; i < 10; ++i) peer_faults.report("peer", Errc::peer_garbage, "noise");
    for (int i = 0; i < 20; ++i) peer_faults.report("peer", Errc::credential_refused, "denied");
    clock.advance(10s);
    peer_faults.report("peer", Errc::credential_refused, "denied");
    EXPECT_EQ(lines_with("lines_left_out=14"), 1U);
    EXPECT_EQ(lines_with("lines_left_out=7"), 0U);
    peer_faults.report("peer", Errc::peer_garbage, "noise");
    EXPECT_EQ(lines_with("lines_left_out=7"), 1U);
}

}  // namespace
}  // namespace device_streams::hub
