#include "hub/quota/quota_file.hpp"

#include "tests/support/captured_log.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace device_streams::hub {
namespace {

using namespace std::chrono_literals;

TEST(Volumes, AreReadAsTheyWereWritten) {
    DayVolumes volumes{std::chrono::sys_days(std::chrono::days(20'000)), {}};
    at_scope(volumes.bytes, QuotaScope::hub)[""] = 12;
    at_scope(volumes.bytes, QuotaScope::device)["dev-01"] = 18'446'744'073'709'551'615U;
    const auto again = parse_volumes(write_volumes(volumes));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->day, volumes.day);
    EXPECT_EQ(again->bytes, volumes.bytes);
}

TEST(Volumes, AnythingElseIsNone) {
    for (const char* text : {"", "{", "[]", "null", "{}", R"({"day":"x"})", R"({"day":1})",
                             R"({"day":1,"hub":[],"policy":{},"device":{},"address":{}})",
                             R"({"day":1,"hub":{"":"many"},"policy":{},"device":{},"address":{}})"})
        EXPECT_FALSE(parse_volumes(text)) << text;
}

/// One hub after the other on the same file.
class QuotaKeeperTest : public testing::Test {
 protected:
    struct Hub {
        explicit Hub(QuotaKeeperTest& test)
            : desk(std::make_shared<StreamQuotas>(QuotaSettings{}, test.clock)),
              keeper(
                  desk, test.file, [this] { ++counts; }, test.clock, Log(test.lines)) {
            keeper.load();
        }
        void carry(std::uint64_t bytes) {
            if (!share) share = std::get<std::shared_ptr<StreamShare>>(desk->open({"service", "dev-01", "192.0.2.1"}));
            share->carried(total += bytes);
        }
        std::uint64_t bytes() const {
            const auto volumes = desk->volumes();
            const auto& hub = at_scope(volumes.bytes, QuotaScope::hub);
            return hub.empty() ? 0 : hub.at("");
        }
        std::shared_ptr<StreamQuotas> desk;
        int counts = 0;
        std::uint64_t total = 0;
        std::shared_ptr<StreamShare> share;
        QuotaFile keeper;
    };

    test::ScratchFolder folder;
    std::filesystem::path file = folder / "quota.json";
    test::ManualClock clock;
    std::shared_ptr<test::CapturedLog> lines = std::make_shared<test::CapturedLog>();
    asio::io_context io{1};
};

TEST_F(QuotaKeeperTest, NextHubCountsOn) {
    Hub hub(*this);
    hub.carry(100);
    test::run(io, hub.keeper.yield());
    hub.carry(11);
    test::run(io, hub.keeper.finish());
    const Hub next(*this);
    EXPECT_EQ(next.bytes(), 111u);
    EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms(0600));
}

TEST_F(QuotaKeeperTest, DoesNotDisturbItsSuccessor) {
    Hub hub(*this);
    hub.carry(100);
    test::run(io, hub.keeper.yield());
    Hub next(*this);
    next.carry(50);
    test::run(io, next.keeper.finish());
    hub.carry(1);
    test::run(io, hub.keeper.finish());
    EXPECT_EQ(Hub(*this).bytes(), 150u);
}

TEST_F(QuotaKeeperTest, SavesOnceAMinuteAndCountsMoreOften) {
    Hub hub(*this);
    hub.carry(100);
    test::Running<void> running(io, hub.keeper.run());
    const auto pass = [&](Clock::duration time) {
        clock.advance(time);
        test::poll(io);
    };
    test::poll(io);
    for (int i = 0; i < 11; ++i) pass(5s);
    EXPECT_EQ(hub.counts, 11);
    EXPECT_FALSE(std::filesystem::exists(file));
    pass(5s);
    while (clock.sleepers() == 0) test::poll(io);  // until the write has come back from its thread
    EXPECT_EQ(Hub(*this).bytes(), 100u);
}

TEST_F(QuotaKeeperTest, DamagedFileIsToldAndReplaced) {
    std::ofstream(file) << "nonsense";
    Hub hub(*this);
    EXPECT_TRUE(lines->contains("warning the day's volumes are not kept code=DS-106"));
    hub.carry(5);
    test::run(io, hub.keeper.yield());
    EXPECT_EQ(Hub(*this).bytes(), 5u);
}

TEST_F(QuotaKeeperTest, FileThatCannotBeWrittenIsToldOnceAndTriedAgain) {
    file = folder / "nowhere/quota.json";
    Hub hub(*this);
    for (int i = 1; i <= 3; ++i) {
        hub.carry(5);
        test::run(io, hub.keeper.finish());
    }
    EXPECT_TRUE(lines->contains("DS-106"));
    EXPECT_EQ(lines->lines().size(), 1u);
    std::filesystem::create_directory(folder / "nowhere");
    test::run(io, hub.keeper.finish());
    EXPECT_EQ(Hub(*this).bytes(), 15u);
}

TEST_F(QuotaKeeperTest, WithoutAPathNothingIsKept) {
    file.clear();
    Hub hub(*this);
    hub.carry(5);
    test::run(io, hub.keeper.yield());
    EXPECT_TRUE(std::filesystem::is_empty(folder / ""));
}

}  // namespace
}  // namespace device_streams::hub
