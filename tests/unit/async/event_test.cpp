#include "common/async/event.hpp"

#include "tests/support/coroutine.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

using test::poll;
using test::Running;

struct EventTest : testing::Test {
    asio::io_context io{1};
    Event event{io.get_executor()};
};

TEST_F(EventTest, WakesTheOneThatWaits) {
    Running<void> waiting(io, event.wait());
    poll(io);
    EXPECT_FALSE(waiting.done());
    event.wake();
    poll(io);
    ASSERT_TRUE(waiting.done());
    waiting.get();
}

TEST_F(EventTest, WakeBeforeTheWaitCountsForOneWait) {
    event.wake();
    event.wake();
    Running<void> first(io, event.wait());
    poll(io);
    ASSERT_TRUE(first.done());
    first.get();
    Running<void> second(io, event.wait());
    poll(io);
    EXPECT_FALSE(second.done());
    event.wake();
    poll(io);
    EXPECT_TRUE(second.done());
}

TEST_F(EventTest, CancelledWaitThrowsAndLeavesTheEventAsItWas) {
    Running<void> cancelled(io, event.wait());
    poll(io);
    cancelled.cancel();
    poll(io);
    ASSERT_TRUE(cancelled.done());
    EXPECT_THROW(cancelled.get(), std::system_error);
    Running<void> waiting(io, event.wait());
    poll(io);
    EXPECT_FALSE(waiting.done());
    event.wake();
    poll(io);
    EXPECT_TRUE(waiting.done());
}

}  // namespace
}  // namespace device_streams
