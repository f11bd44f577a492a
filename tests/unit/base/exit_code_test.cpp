#include "common/base/exit_code.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

// Scripts and service managers act on these.
TEST(ExitCode, IsOfTheClassOfTheError) {
    EXPECT_EQ(exit_code_for(Errc::usage), 64);
    EXPECT_EQ(exit_code_for(Errc::not_found), 65);
    EXPECT_EQ(exit_code_for(Errc::device_unknown), 68);
    EXPECT_EQ(exit_code_for(Errc::hub_unreachable), 69);
    EXPECT_EQ(exit_code_for(Errc::device_offline), 69);
    EXPECT_EQ(exit_code_for(Errc::internal), 70);
    EXPECT_EQ(exit_code_for(Errc::listen_failed), 71);
    EXPECT_EQ(exit_code_for(Errc::leg_lost), 74);
    EXPECT_EQ(exit_code_for(Errc::throttled), 75);
    EXPECT_EQ(exit_code_for(Errc::hub_protocol), 76);
    EXPECT_EQ(exit_code_for(Errc::service_unauthorized), 77);
    EXPECT_EQ(exit_code_for(Errc::config_invalid), 78);
}

TEST(ExitCode, EveryErrorHasOne) {
    for (const auto& row : error_table()) EXPECT_GE(exit_code_for(row.code), 64) << row.id;
}

}  // namespace
}  // namespace device_streams
