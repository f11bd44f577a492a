#include "hub/audit/resource_log.hpp"

#include "tests/support/captured_log.hpp"
#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>

namespace device_streams::hub {
namespace {

using namespace std::chrono_literals;

// What a file does, and what it was told; shared with the test.
struct FakeDisk {
    std::mutex mutex;
    std::vector<std::string> seen;
    std::optional<std::errc> fault_of_open, fault_of_append, fault_of_shift;
    std::atomic<std::uint64_t> size = 0;
    std::shared_future<void> gate;  // appending waits for it, if there is one
};

class FakeFile final : public RecordFile {
 public:
    explicit FakeFile(std::shared_ptr<FakeDisk> disk) : disk_(std::move(disk)) {}
    void open(const std::string& path) override {
        const std::lock_guard lock(disk_->mutex);
        disk_->seen.push_back("open " + path);
        if (disk_->fault_of_open) throw std::system_error(std::make_error_code(*disk_->fault_of_open));
    }
    void append(std::string_view line) override {
        if (disk_->gate.valid()) disk_->gate.wait();
        const std::lock_guard lock(disk_->mutex);
        if (disk_->fault_of_append) throw std::system_error(std::make_error_code(*disk_->fault_of_append));
        const auto begin = line.find("dev-");
        disk_->seen.emplace_back(line.substr(begin, line.find('\\', begin) - begin));
        disk_->size += 100;
    }
    std::uint64_t size() const override { return disk_->size; }
    void shift(const std::string& path, unsigned kept) override {
        const std::lock_guard lock(disk_->mutex);
        disk_->seen.push_back("shift " + path + " " + std::to_string(kept));
        if (disk_->fault_of_shift) throw std::system_error(std::make_error_code(*disk_->fault_of_shift));
        disk_->size = 0;
    }

 private:
    std::shared_ptr<FakeDisk> disk_;
};

class ResourceLogTest : public testing::Test {
 protected:
    ResourceLogTest() { open(ResourceLog::Limits()); }

    void open(ResourceLog::Limits limits) {
        log.emplace("hub1", clock, Log(lines), limits, std::make_unique<FakeFile>(disk));
    }
    void add(const std::string& device) { log->add(LinkUp{LinkParty{{device, {}}, {}, {}}}); }
    // All that was added has been written or lost.
    void settle() {
        const auto path = "/settled" + std::to_string(++settled);
        log->use(path);
        while (true) {
            {
                const std::lock_guard lock(disk->mutex);
                const auto mark = std::ranges::find(disk->seen, "open " + path);
                if (mark != disk->seen.end()) {
                    disk->seen.erase(mark);
                    return;
                }
            }
            std::this_thread::yield();
        }
    }
    void set_faults(std::optional<std::errc> of_open, std::optional<std::errc> of_append) {
        const std::lock_guard lock(disk->mutex);
        disk->fault_of_open = of_open;
        disk->fault_of_append = of_append;
    }
    std::vector<std::string> seen() {
        settle();
        return std::exchange(disk->seen, {});
    }

    test::ManualClock clock;
    std::shared_ptr<test::CapturedLog> lines = std::make_shared<test::CapturedLog>();
    std::shared_ptr<FakeDisk> disk = std::make_shared<FakeDisk>();
    std::optional<ResourceLog> log;
    int settled = 0;
};

using Seen = std::vector<std::string>;

TEST_F(ResourceLogTest, WritesInOrder) {
    log->use("/a");
    add("dev-1");
    add("dev-2");
    EXPECT_EQ(seen(), (Seen{"open /a", "dev-1", "dev-2"}));
}

TEST_F(ResourceLogTest, IsOffWithoutAPath) {
    add("dev-1");
    log->use("/a");
    log->use("");
    add("dev-2");
    EXPECT_EQ(seen(), Seen{"open /a"});
}

TEST_F(ResourceLogTest, RecordsBeforeARotationGoToTheOldFile) {
    log->use("/a");
    add("dev-1");
    log->use("/a");
    add("dev-2");
    EXPECT_EQ(seen(), (Seen{"open /a", "dev-1", "open /a", "dev-2"}));
}

TEST_F(ResourceLogTest, WhatWaitsIsWrittenAtTheEnd) {
    std::promise<void> gate;
    disk->gate = gate.get_future();
    log->use("/a");
    add("dev-1");
    add("dev-2");
    gate.set_value();
    log.reset();
    EXPECT_EQ(disk->seen, (Seen{"open /a", "dev-1", "dev-2"}));
}

TEST_F(ResourceLogTest, FullDiskIsReportedOnceAndSoIsItsEnd) {
    log->use("/a");
    set_faults({}, std::errc::no_space_on_device);
    for (int i = 0; i < 5; ++i) add("dev-1");
    settle();
    ASSERT_EQ(lines->lines().size(), 1u);
    EXPECT_TRUE(lines->contains("error the resource log cannot be written code=DS-621 file=/a reason=No space left"));
    set_faults({}, {});
    add("dev-2");
    add("dev-3");
    settle();
    ASSERT_EQ(lines->lines().size(), 2u);
    EXPECT_TRUE(lines->contains("warning the resource log is written again code=DS-621"));
    EXPECT_TRUE(lines->contains("records_lost=5"));
}

TEST_F(ResourceLogTest, UnusablePathIsTriedAgainAfterAWhile) {
    set_faults(std::errc::permission_denied, {});
    log->use("/a");
    for (int i = 0; i < 100; ++i) add("dev-1");
    EXPECT_EQ(seen(), Seen{"open /a"});  // not for each record
    EXPECT_TRUE(lines->contains("Permission denied"));
    set_faults({}, {});
    clock.advance(1s);
    add("dev-2");
    log.reset();
    EXPECT_EQ(disk->seen, (Seen{"open /settled1", "dev-2"}));
    EXPECT_TRUE(lines->contains("records_lost=100"));
}

TEST_F(ResourceLogTest, SlowDiskLosesRecordsAndHoldsNobodyUp) {
    open({.waiting = 10, .strangers = {100, 1s}});
    std::promise<void> gate;
    disk->gate = gate.get_future();
    log->use("/a");
    for (int i = 0; i < 1000; ++i) add("dev-1");  // returns although nothing can be written
    gate.set_value();
    EXPECT_LE(seen().size(), 1u + 10u + 10u);  // the batch that waited for the disk, and the queue behind it
    add("dev-2");
    settle();
    EXPECT_TRUE(lines->contains("it is written too slowly"));
    EXPECT_TRUE(lines->contains("written again"));
}

TEST_F(ResourceLogTest, FloodOfStrangersIsCutAndCounted) {
    open({.waiting = 1000, .strangers = {3, 1s}});
    log->use("/a");
    const auto add_of_stranger = [&](const std::string& device, const std::string& peer) {
        log->add_of_stranger(peer, LinkUp{LinkParty{{device, {}}, peer, {}}});
    };
    for (int i = 0; i < 49; ++i) add_of_stranger("dev-x", "203.0.113.7:1");
    add_of_stranger("dev-y", "203.0.113.8:1");
    add("dev-1");
    EXPECT_EQ(seen(), (Seen{"open /a", "dev-x", "dev-x", "dev-x", "dev-y", "dev-1"})) << "no source hides another";
    clock.advance(1s);
    add_of_stranger("dev-x", "203.0.113.7:1");
    EXPECT_TRUE(lines->contains("records_left_out=46"));
}

TEST_F(ResourceLogTest, BeginsAfreshAtItsSize) {
    log->use("/log", 300);
    for (const auto* device : {"dev-1", "dev-2", "dev-3", "dev-4"}) add(device);
    EXPECT_EQ(seen(),
              (std::vector<std::string>{"open /log", "dev-1", "dev-2", "dev-3", "shift /log 5", "open /log", "dev-4"}));
}

TEST_F(ResourceLogTest, GoesOnWhereItCannotBeRenamed) {
    disk->fault_of_shift = std::errc::permission_denied;
    log->use("/log", 100);
    for (const auto* device : {"dev-1", "dev-2", "dev-3"}) add(device);
    EXPECT_EQ(seen(), (std::vector<std::string>{"open /log", "dev-1", "shift /log 5", "dev-2", "dev-3"}));
    EXPECT_TRUE(lines->contains("it cannot be renamed"));
}

TEST_F(ResourceLogTest, ADeviceThatComesAndGoesIsCutShortAlone) {
    open({.device = {3, 10s}});
    log->use("/log");
    const auto comes = [this](const std::string& device) {
        log->add_of_device({device, {}}, LinkUp{LinkParty{{device, {}}, {}, {}}});
    };
    for (int time = 0; time < 10; ++time) comes("dev-1");
    comes("dev-2");
    EXPECT_EQ(seen(), (std::vector<std::string>{"open /log", "dev-1", "dev-1", "dev-1", "dev-2"}));
    clock.advance(10s);
    log->use("/log");
    comes("dev-1");
    EXPECT_EQ(seen(), (std::vector<std::string>{"open /log", "dev-1"}));
    EXPECT_TRUE(lines->contains("records_left_out=7")) << "also after the quiet ones were forgotten";
}

}  // namespace
}  // namespace device_streams::hub
