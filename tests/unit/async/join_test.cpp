#include "common/async/join.hpp"

#include "tests/support/coroutine.hpp"
#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

using test::ManualClock;
using test::poll;
using test::Running;
using namespace std::chrono_literals;

asio::awaitable<void> sleep_then_note(Clock& clock, Clock::duration length, std::string& order, char mark) {
    co_await clock.sleep_for(length);
    order += mark;
}

asio::awaitable<void> sleep_then_throw(Clock& clock, Clock::duration length, const char* text) {
    co_await clock.sleep_for(length);
    throw std::runtime_error(text);
}

struct Join : testing::Test {
    asio::io_context io{1};
    ManualClock clock;
    std::string order;
};

TEST_F(Join, BothWaitsForTheSlower) {
    Running<void> running(io, both(sleep_then_note(clock, 1s, order, 'a'), sleep_then_note(clock, 2s, order, 'b')));
    poll(io);
    clock.advance(1s);
    poll(io);
    EXPECT_FALSE(running.done());
    clock.advance(1s);
    poll(io);
    EXPECT_TRUE(running.done());
    EXPECT_EQ(order, "ab");
}

TEST_F(Join, BothCancelsTheOtherAtTheFirstFailureAndRethrowsIt) {
    Running<void> running(io, both(sleep_then_throw(clock, 1s, "first"), sleep_then_note(clock, 9s, order, 'b')));
    poll(io);
    clock.advance(1s);
    poll(io);
    ASSERT_TRUE(running.done());
    EXPECT_THROW(running.get(), std::runtime_error);
    EXPECT_EQ(order, "");
    EXPECT_EQ(clock.sleepers(), 0u);
}

TEST_F(Join, FirstOfCancelsTheSlower) {
    Running<void> running(io, first_of(sleep_then_note(clock, 5s, order, 'a'), sleep_then_note(clock, 1s, order, 'b')));
    poll(io);
    clock.advance(1s);
    poll(io);
    EXPECT_TRUE(running.done());
    EXPECT_EQ(order, "b");
    EXPECT_EQ(clock.sleepers(), 0u);
}

TEST_F(Join, FirstOfRethrowsTheFailureThatDecided) {
    Running<void> running(io, first_of(sleep_then_throw(clock, 1s, "decides"), sleep_then_note(clock, 5s, order, 'b')));
    poll(io);
    clock.advance(1s);
    poll(io);
    EXPECT_THROW(running.get(), std::runtime_error);
}

// What a callback found, as somebody tells it to an event.
std::exception_ptr found(const char* text) {
    return std::make_exception_ptr(std::runtime_error(text));
}

std::string failure_of(Running<void>& running) {
    try {
        running.get();
    } catch (const std::exception& failure) {
        return failure.what();
    }
    return "";
}

TEST_F(Join, ABellCancelsWhatRunsAndDecides) {
    FailureEvent event(io.get_executor());
    Running<void> running(
        io, first_of(sleep_then_note(clock, 1s, order, 'a'), sleep_then_note(clock, 2s, order, 'b'), event));
    poll(io);
    EXPECT_TRUE(event.ring(found("lost")));
    EXPECT_FALSE(event.ring(found("later")));
    poll(io);
    ASSERT_TRUE(running.done());
    EXPECT_EQ(failure_of(running), "lost");
    EXPECT_EQ(clock.sleepers(), 0u);
}

TEST_F(Join, ABellThatRangBeforeDecidesAtOnce) {
    FailureEvent event(io.get_executor());
    event.ring(found("lost"));
    Running<void> running(io, first_of(sleep_then_note(clock, 1s, order, 'a'), event));
    Running<void> waiting(io, event.wait());
    poll(io);
    EXPECT_EQ(failure_of(running), "lost");
    EXPECT_EQ(failure_of(waiting), "lost");
}

TEST_F(Join, ABellThatIsNotRungHoldsNobodyUp) {
    FailureEvent event(io.get_executor());
    Running<void> one(io, first_of(sleep_then_note(clock, 1s, order, 'a'), event));
    Running<void> two(io,
                      first_of(sleep_then_note(clock, 9s, order, 'b'), sleep_then_throw(clock, 2s, "decides"), event));
    poll(io);
    clock.advance(1s);
    poll(io);
    EXPECT_TRUE(one.done());
    EXPECT_EQ(failure_of(one), "");
    clock.advance(1s);
    poll(io);
    EXPECT_EQ(failure_of(two), "decides");
    EXPECT_EQ(order, "a");
}

TEST_F(Join, CancelledFromOutsideABellThrowsToo) {
    FailureEvent event(io.get_executor());
    Running<void> running(io, first_of(forever(), event));
    Running<void> waiting(io, event.wait());
    poll(io);
    running.cancel();
    waiting.cancel();
    poll(io);
    EXPECT_THROW(running.get(), std::system_error);
    EXPECT_THROW(waiting.get(), std::system_error);
}

TEST_F(Join, TimeoutCancelsTheWorkAndSaysTimedOut) {
    Running<void> running(io, with_timeout(sleep_then_note(clock, 9s, order, 'a'), 2s, clock));
    poll(io);
    clock.advance(2s);
    poll(io);
    ASSERT_TRUE(running.done());
    try {
        running.get();
        FAIL() << "no timeout";
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), asio::error::timed_out);
    }
    EXPECT_EQ(order, "");
}

asio::awaitable<int> answer(Clock& clock) {
    co_await clock.sleep_for(1s);
    co_return 42;
}

TEST_F(Join, TimeoutPassesTheResultOn) {
    Running<int> running(io, with_timeout(answer(clock), 2s, clock));
    poll(io);
    clock.advance(1s);
    poll(io);
    EXPECT_EQ(running.get(), 42);
}

TEST_F(Join, CancellationReachesBothBranches) {
    Running<void> running(io, both(sleep_then_note(clock, 1s, order, 'a'), sleep_then_note(clock, 2s, order, 'b')));
    poll(io);
    running.cancel();
    poll(io);
    EXPECT_TRUE(running.done());
    EXPECT_EQ(clock.sleepers(), 0u);
}

}  // namespace
}  // namespace device_streams
