#include "hub/streams/end_result.hpp"

#include <gtest/gtest.h>

namespace device_streams::hub {
namespace {

int code_of(CloseReason close_reason, bool by_device) {
    const auto type = result_type_of(close_reason, by_device);
    return type ? type->code : 0;
}

TEST(EndResult, CleanEndIsNoError) {
    EXPECT_EQ(code_of(CloseReason::clean, true), 0);
}

TEST(EndResult, LossNamesTheSide) {
    for (const auto close_reason : {CloseReason::lost, CloseReason::reset}) {
        EXPECT_EQ(code_of(close_reason, true), 404104);
        EXPECT_EQ(code_of(close_reason, false), 404105);
    }
}

TEST(EndResult, WhatTheHubEndsNamesWhy) {
    EXPECT_EQ(code_of(CloseReason::protocol_violation, true), 400000);
    EXPECT_EQ(code_of(CloseReason::too_big, true), 400000);
    EXPECT_EQ(code_of(CloseReason::refused, false), 401003);
    EXPECT_EQ(code_of(CloseReason::time_up, false), 408000);
    EXPECT_EQ(code_of(CloseReason::cancelled, false), 503001);
    EXPECT_EQ(code_of(CloseReason::stopping, false), 503001);
}

}  // namespace
}  // namespace device_streams::hub
