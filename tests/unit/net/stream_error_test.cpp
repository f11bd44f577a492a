#include "common/base/error.hpp"
#include "common/net/byte_stream.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

TEST(StreamError, SaysItsCauseOnceAndHasACode) {
    const StreamError error(CloseReason::lost, "nothing was heard for 60 s");
    EXPECT_STREQ(error.what(), "nothing was heard for 60 s");
    EXPECT_EQ(error.code(), Errc::leg_lost);
    const StreamError copy(error);
    EXPECT_STREQ(copy.what(), error.what());
}

TEST(StreamError, APathThatSwallowsLargePacketsIsNamedWithItsRemedy) {
    try {
        throw_stream_error(make_error_code(Errc::mtu_black_hole));
    } catch (const StreamError& error) {
        const std::string cause = error.what();
        EXPECT_EQ(error.close_reason(), CloseReason::lost);
        EXPECT_TRUE(cause.starts_with("DS-508 ") && cause.find("Set hub.mss") != std::string::npos) << cause;
        EXPECT_FALSE(cause.ends_with('.')) << cause;
    }
}

}  // namespace
}  // namespace device_streams
