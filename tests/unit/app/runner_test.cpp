#include "common/app/runner.hpp"

#include "common/async/event.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

using namespace std::chrono_literals;

/// Does not end before it is cancelled.
class Endless final : public Component {
 public:
    Endless(const asio::any_io_executor& executor, bool& cancelled) : cancelled_(cancelled), end_(executor) {}
    asio::awaitable<void> start() override { co_return; }
    void stop_accepting() override {}
    void cancel() override {
        cancelled_ = true;
        end_.wake();
    }
    asio::awaitable<void> until_done() override { return end_.wait(); }

 private:
    bool& cancelled_;
    Event end_;
};

TEST(Runner, ADrainIsCancelledWhenItsTimeIsOver) {
    asio::io_context io{1};
    test::ManualClock clock;
    std::function<void(int)> finish;
    bool cancelled = false;
    const Runner::Make make = [&](const Environment& environment) {
        finish = environment.finish;
        return std::make_unique<Endless>(environment.io.get_executor(), cancelled);
    };
    const RunSettings settings{.program = "test", .drain = 30s};
    Runner runner(settings, Log(std::make_shared<test::CapturedLog>()), io, clock, make);
    runner.begin();
    test::poll(io);
    finish(7);
    test::poll(io);
    clock.advance(29'999ms);
    test::poll(io);
    EXPECT_FALSE(cancelled);
    clock.advance(1ms);
    test::poll(io);
    EXPECT_TRUE(cancelled);
    EXPECT_EQ(runner.exit_code(), 7);
}

}  // namespace
}  // namespace device_streams
