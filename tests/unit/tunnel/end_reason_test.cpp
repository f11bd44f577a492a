#include "common/tunnel/end_reason.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

constexpr RelaySide left{"client", "client's connection"}, right{"device", "leg to the hub"};

std::string reason_of(CloseReason close_reason, bool left_caused, std::string cause = {}) {
    RelayResult result;
    result.close_reason = close_reason;
    result.left_caused = left_caused;
    result.cause = std::move(cause);
    return end_reason(result, left, right);
}

TEST(EndReason, NamesThePartyThatClosed) {
    EXPECT_EQ(reason_of(CloseReason::clean, true), "closed by the client");
    EXPECT_EQ(reason_of(CloseReason::clean, false), "closed by the device");
}

TEST(EndReason, NamesTheLegThatFailedWithCodeCauseAndNextStep) {
    EXPECT_EQ(reason_of(CloseReason::reset, true),
              "DS-501 client's connection: reset. The program at that end aborted its connection.");
    EXPECT_EQ(reason_of(CloseReason::lost, false, "nothing was heard for 30 s"),
              "DS-502 leg to the hub: lost, nothing was heard for 30 s. Connect again; the network or a program in "
              "between failed.");
    EXPECT_EQ(reason_of(CloseReason::stopping, false, "code 1001"),
              "DS-503 leg to the hub: stopping, code 1001. Connect again in a moment.");
}

TEST(EndReason, BlamesNoLegForALimitOrAStop) {
    EXPECT_EQ(reason_of(CloseReason::time_up, true, "max_lifetime"),
              "DS-506 a time limit of the stream was reached: max_lifetime. Raise idle_timeout, max_lifetime or "
              "stall_timeout if that was too soon.");
    EXPECT_EQ(reason_of(CloseReason::cancelled, true), "this program is stopping");
}

}  // namespace
}  // namespace device_streams
