#include "common/app/runner.hpp"
#include "common/base/error.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

using namespace std::chrono_literals;

class IdleComponent final : public Component {
 public:
    asio::awaitable<void> start() override { co_return; }
    void stop_accepting() override {}
    void cancel() override {}
    asio::awaitable<void> until_done() override { co_return; }
};

struct ScriptedReloader final : Reloader {
    Changes reload() override { return {}; }
    std::optional<Changes> renew() override {
        ++looks;
        if (!problem.empty()) throw Failure(Errc::certificate_unusable, problem);
        return std::exchange(renewed, std::nullopt);
    }
    int looks = 0;
    std::string problem;
    std::optional<Changes> renewed;
};

/// A running program whose time the test moves.
class Renewal : public testing::Test {
 protected:
    Renewal() {
        runner.begin();
        io.poll();
    }
    void look() {
        clock.advance(2s);
        io.poll();
    }
    std::size_t logged(std::string_view text) const {
        std::size_t count = 0;
        for (const auto& line : lines->lines()) count += line.find(text) != std::string::npos ? 1 : 0;
        return count;
    }

    std::shared_ptr<test::CapturedLog> lines = std::make_shared<test::CapturedLog>();
    test::ManualClock clock;
    asio::io_context io{1};
    const RunSettings settings{.program = "test"};
    const Runner::Make make = [](const Environment&) { return std::make_unique<IdleComponent>(); };
    ScriptedReloader reloader;
    Runner runner{settings, Log(lines), io, clock, make, &reloader};
};

TEST_F(Renewal, LooksForRenewedFilesEveryTwoSeconds) {
    look();
    look();
    EXPECT_EQ(reloader.looks, 2);
    clock.advance(1s);
    io.poll();
    EXPECT_EQ(reloader.looks, 2);
    EXPECT_EQ(logged("renewed"), 0U);
}

TEST_F(Renewal, TellsWhatIsInUseNow) {
    reloader.renewed = Changes{{"hub.pem", "hub.key"}, {}};
    look();
    look();
    EXPECT_EQ(logged("info renewed files are in use changed=hub.pem, hub.key"), 1U);
}

TEST_F(Renewal, TellsOnceWhatCannotBeUsedAndTriesAgain) {
    reloader.problem = "hub.key is not the key of hub.pem";
    look();
    look();
    EXPECT_EQ(logged("error renewed files are not used yet"), 1U);
    EXPECT_EQ(logged("hub.key is not the key of hub.pem"), 1U);
    reloader.problem = "another";
    look();
    EXPECT_EQ(logged("renewed files are not used yet"), 2U);
    EXPECT_EQ(reloader.looks, 3);
}

}  // namespace
}  // namespace device_streams
