#include "common/async/task_set.hpp"

#include "tests/support/coroutine.hpp"
#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

using test::ManualClock;
using test::poll;
using test::Running;
using namespace std::chrono_literals;

struct TaskSetTest : testing::Test {
    asio::io_context io{1};
    ManualClock clock;
    int failures = 0;
    TaskSet tasks{io.get_executor(), [this](std::exception_ptr) { ++failures; }};
    int ended = 0;

    asio::awaitable<void> nap(Clock::duration length) {
        struct Count {
            int& n;
            ~Count() { ++n; }
        } count{ended};
        co_await clock.sleep_for(length);
    }
    TaskSet::Beginning alone(asio::awaitable<void> work) {
        co_await std::move(work);
        co_return nullptr;
    }
    // A second part of an hour, that can be interrupted once.
    struct SecondPart : Continuation {
        explicit SecondPart(TaskSetTest& owner) : test(owner) {}
        ~SecondPart() override { test.is_second = false; }
        asio::awaitable<void> run(Interruption& of_task) override {
            test.is_second = true;
            test.interruption = &of_task;
            co_await of_task.interruptible(test.nap(1h));
            co_await test.nap(1h);
        }
        TaskSetTest& test;
    };
    TaskSet::Beginning in_two_parts() {
        co_await nap(1s);
        co_return std::make_unique<SecondPart>(*this);
    }
    void spawn_in_two_parts() {
        tasks.spawn_stoppable(tasks.make_strand(), [this](const TaskSet::Stop&) { return in_two_parts(); });
        poll(io);
    }

    bool is_second = false;
    Interruption* interruption = nullptr;
};

TEST_F(TaskSetTest, TaskGoesOnAsWhatItsBeginningReturns) {
    spawn_in_two_parts();
    EXPECT_FALSE(is_second);
    clock.advance(1s);
    poll(io);
    EXPECT_EQ(ended, 1) << "nothing of the beginning is left";
    EXPECT_TRUE(is_second);
    EXPECT_EQ(tasks.size(), 1u);
    interruption->interrupt();
    poll(io);
    EXPECT_EQ(ended, 2);
    EXPECT_EQ(tasks.size(), 1u);
    clock.advance(1h);
    poll(io);
    EXPECT_EQ(tasks.size(), 0u);
    EXPECT_FALSE(is_second) << "it is dropped";
    EXPECT_EQ(failures, 0);
}

TEST_F(TaskSetTest, CancelAllEndsAlsoWhatATaskGoesOnAs) {
    spawn_in_two_parts();
    clock.advance(1s);
    poll(io);
    tasks.cancel_all();
    poll(io);
    EXPECT_EQ(tasks.size(), 0u);
}

TEST_F(TaskSetTest, TaskThatIsCancelledAtTheEndOfItsBeginningDoesNotGoOn) {
    spawn_in_two_parts();
    clock.advance(1s);  // its step is queued now, and the cancellation behind it
    tasks.cancel_all();
    poll(io);
    EXPECT_EQ(tasks.size(), 0u);
    EXPECT_EQ(failures, 0);
}

TEST_F(TaskSetTest, CountsWhatRuns) {
    tasks.spawn(nap(1s));
    tasks.spawn(nap(2s));
    poll(io);
    EXPECT_EQ(tasks.size(), 2u);
    clock.advance(1s);
    poll(io);
    EXPECT_EQ(tasks.size(), 1u);
    clock.advance(1s);
    poll(io);
    EXPECT_EQ(tasks.size(), 0u);
}

TEST_F(TaskSetTest, CancelAllEndsEveryTask) {
    for (int i = 0; i < 10; ++i) tasks.spawn(nap(1h));
    poll(io);
    tasks.cancel_all();
    poll(io);
    EXPECT_EQ(ended, 10);
    EXPECT_EQ(tasks.size(), 0u);
}

TEST_F(TaskSetTest, OneTaskIsStoppedAlone) {
    TaskSet::Stop stop;
    tasks.spawn(nap(1h));
    tasks.spawn_stoppable(tasks.make_strand(), [&](TaskSet::Stop given) {
        stop = std::move(given);
        return alone(nap(1h));
    });
    poll(io);
    stop([] { return false; });
    poll(io);
    EXPECT_EQ(tasks.size(), 2u) << "not wanted any more";
    stop([] { return true; });
    poll(io);
    EXPECT_EQ(tasks.size(), 1u);
    stop([] { return true; });
    poll(io);
    EXPECT_EQ(tasks.size(), 1u) << "over already";
}

TEST_F(TaskSetTest, CancelBeforeTheFirstStepStillEndsTheTask) {
    tasks.spawn(nap(1h));
    tasks.cancel_all();
    poll(io);
    EXPECT_EQ(tasks.size(), 0u);
}

TEST_F(TaskSetTest, UntilEmptyReturnsAtTheLastEnd) {
    tasks.spawn(nap(1s));
    Running<void> waiting(io, tasks.until_empty());
    poll(io);
    EXPECT_FALSE(waiting.done());
    clock.advance(1s);
    poll(io);
    EXPECT_TRUE(waiting.done());
}

TEST_F(TaskSetTest, UntilEmptyWithinGivesUp) {
    tasks.spawn(nap(1h));
    Running<bool> waiting(io, tasks.until_empty_within(5s, clock));
    poll(io);
    clock.advance(5s);
    poll(io);
    ASSERT_TRUE(waiting.done());
    EXPECT_FALSE(waiting.get());
    tasks.cancel_all();
    poll(io);
}

asio::awaitable<void> fail() {
    throw std::runtime_error("broken");
    co_return;
}

TEST_F(TaskSetTest, FailuresAreReportedAndCancellationIsNot) {
    tasks.spawn(fail());
    tasks.spawn(nap(1h));
    poll(io);
    tasks.cancel_all();
    poll(io);
    EXPECT_EQ(failures, 1);
}

}  // namespace
}  // namespace device_streams
