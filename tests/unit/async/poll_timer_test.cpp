#include "common/async/poll_timer.hpp"

#include "tests/support/coroutine.hpp"
#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

using namespace std::chrono_literals;

struct LookoutTest : testing::Test {
    std::optional<Clock::time_point> look() {
        ++looks;
        if (looks == last) return std::nullopt;
        return clock.now() + 10s;
    }
    std::shared_ptr<PollTimer> make() {
        return std::make_shared<PollTimer>(clock, io.get_executor(), [this] { return look(); });
    }
    void pass(Clock::duration time) {
        clock.advance(time);
        test::poll(io);
    }

    asio::io_context io{1};
    test::ManualClock clock;
    int looks = 0;
    int last = 0;
};

TEST_F(LookoutTest, LooksWhenTheLookBeforeHasSaid) {
    const auto lookout = make();
    lookout->look();
    EXPECT_EQ(looks, 1);
    pass(9s);
    EXPECT_EQ(looks, 1);
    pass(1s);
    EXPECT_EQ(looks, 2);
    pass(10s);
    EXPECT_EQ(looks, 3);
}

TEST_F(LookoutTest, CanLookFirstLater) {
    const auto lookout = make();
    lookout->look_at(clock.now() + 3s);
    EXPECT_EQ(looks, 0);
    pass(3s);
    EXPECT_EQ(looks, 1);
}

TEST_F(LookoutTest, EndsWithTheLookThatSaysSo) {
    last = 2;
    const auto lookout = make();
    lookout->look();
    pass(10s);
    pass(10h);
    EXPECT_EQ(looks, 2);
}

TEST_F(LookoutTest, LooksNoMoreOnceItIsDropped) {
    auto lookout = make();
    lookout->look();
    clock.advance(10s);  // due, but it has not run
    lookout.reset();
    test::poll(io);
    pass(10s);
    EXPECT_EQ(looks, 1);
    EXPECT_EQ(clock.sleepers(), 0u);
}

}  // namespace
}  // namespace device_streams
