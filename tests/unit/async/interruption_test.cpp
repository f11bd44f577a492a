#include "common/async/interruption.hpp"

#include "common/async/join.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace device_streams {
namespace {

struct InterruptionTest : testing::Test {
    ~InterruptionTest() override {
        interruption.cancel();
        poll();
    }

    void poll() {
        io.restart();
        io.poll();
    }
    void start(asio::awaitable<void> coroutine) {
        auto at_end = [this](std::exception_ptr error) {
            done = true;
            failure = error;
        };
        asio::co_spawn(io, std::move(coroutine), asio::bind_cancellation_slot(interruption.slot(), std::move(at_end)));
        poll();
    }
    // Twice the same work; how often it was begun is in `begun`.
    asio::awaitable<void> twice(std::function<asio::awaitable<void>()> work) {
        for (int i = 0; i < 2; ++i) {
            ++begun;
            co_await interruption.interruptible(work());
        }
    }
    asio::awaitable<void> stubborn() {
        try {
            co_await forever();
        } catch (const std::system_error&) {
            throw std::runtime_error("its own");
        }
    }

    asio::io_context io{1};
    Interruption interruption;
    int begun = 0;
    bool done = false;
    std::exception_ptr failure;
};

TEST_F(InterruptionTest, EndsTheWorkThatIsUnderWayAndNoMore) {
    start(twice(forever));
    EXPECT_EQ(begun, 1);
    interruption.interrupt();
    poll();
    EXPECT_EQ(begun, 2) << "the coroutine goes on";
    EXPECT_FALSE(done) << "and can wait again";
    interruption.interrupt();
    poll();
    EXPECT_TRUE(done);
    EXPECT_FALSE(failure);
}

TEST_F(InterruptionTest, IsKeptForTheNextWork) {
    interruption.interrupt();
    start(twice(forever));
    EXPECT_EQ(begun, 2);
    EXPECT_FALSE(done);
}

TEST_F(InterruptionTest, OfWorkThatHasJustEndedIsNoOneElses) {
    bool second = false;
    start(twice([&]() -> asio::awaitable<void> {
        if (std::exchange(second, true)) co_return co_await forever();
        interruption.interrupt();
    }));
    EXPECT_EQ(begun, 2);
    EXPECT_FALSE(done) << "the next work waits as ever";
}

TEST_F(InterruptionTest, TheFirstFailureIsThrownWhereTheWorkEnds) {
    start(twice(forever));
    interruption.interrupt(std::make_exception_ptr(std::logic_error("first")));
    interruption.interrupt(std::make_exception_ptr(std::runtime_error("second")));
    poll();
    ASSERT_TRUE(done);
    EXPECT_EQ(begun, 1);
    EXPECT_THROW(std::rethrow_exception(failure), std::logic_error);
}

TEST_F(InterruptionTest, WhatTheWorkThrowsOfItsOwnComesFirst) {
    start(twice([this] { return stubborn(); }));
    interruption.interrupt(std::make_exception_ptr(std::logic_error("late")));
    poll();
    ASSERT_TRUE(done);
    EXPECT_THROW(std::rethrow_exception(failure), std::runtime_error);
}

TEST_F(InterruptionTest, CancellationIsNoInterruption) {
    start(twice(forever));
    interruption.cancel();
    poll();
    ASSERT_TRUE(done);
    EXPECT_EQ(begun, 1);
    EXPECT_THROW(std::rethrow_exception(failure), std::system_error);
}

TEST_F(InterruptionTest, CancellationIsNotLostBehindAnInterruption) {
    start(twice(forever));
    interruption.interrupt();
    interruption.cancel();
    poll();
    ASSERT_TRUE(done) << "before the coroutine had met the interruption";
    EXPECT_EQ(begun, 1);
    EXPECT_THROW(std::rethrow_exception(failure), std::system_error);
}

}  // namespace
}  // namespace device_streams
