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

}  // namespace
}  // namespace device_streams
