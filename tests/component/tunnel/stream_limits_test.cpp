#include "tests/component/support/tunnel_fixture.hpp"

namespace device_streams::test {
namespace {

TEST_F(TunnelTest, AForwardsLifetimeEndsItsStreamsAtBothEnds) {
    proxy->stop();
    auto config = proxy_config();
    config.forwards.front().limits.max_lifetime = 300ms;
    start_proxy(config);
    auto ends = open_stream();
    EXPECT_EQ(ends.client.how_it_ends(), "reset");
    EXPECT_EQ(ends.service.how_it_ends(), "reset");
    EXPECT_TRUE(eventually_logged("DS-506 a time limit of the stream was reached: max_lifetime"));
    EXPECT_TRUE(eventually_logged("DS-507"));  // what the other programs are told
}

}  // namespace
}  // namespace device_streams::test
