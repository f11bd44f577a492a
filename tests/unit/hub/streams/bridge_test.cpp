#include "hub/streams/bridge.hpp"

#include "tests/support/captured_log.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/memory_stream.hpp"

#include <gtest/gtest.h>

namespace device_streams::hub {
namespace {

// A stream with a programming error.
class BrokenStream final : public ByteStream {
 public:
    explicit BrokenStream(std::unique_ptr<ByteStream> rest) : rest_(std::move(rest)) {}
    std::optional<std::size_t> try_read(WritableBytes) override { throw std::logic_error("out of range"); }
    asio::awaitable<void> wait_readable() override { return rest_->wait_readable(); }
    asio::awaitable<void> write_all(OutBytes out) override { return rest_->write_all(out); }
    asio::awaitable<void> finish() override { return rest_->finish(); }
    bool half_close() const override { return rest_->half_close(); }
    bool ended() const override { return rest_->ended(); }
    std::size_t undelivered() override { return rest_->undelivered(); }
    LossMonitor watch(const asio::any_io_executor& strand, OnLost on_lost) override {
        return rest_->watch(strand, std::move(on_lost));
    }
    asio::awaitable<void> close(CloseReason close_reason) override { return rest_->close(close_reason); }
    void abort(CloseReason reason) noexcept override { rest_->abort(reason); }

 private:
    std::unique_ptr<ByteStream> rest_;
};

class BridgesTest : public testing::Test {
 protected:
    void start(std::unique_ptr<ByteStream> device, std::unique_ptr<ByteStream> service) {
        bridges.start({"sid", "ssh.0a1b2c3d", {"pump-17", {}}}, std::move(device), std::move(service));
    }

    asio::io_context io{1};
    test::ManualClock clock;
    std::shared_ptr<test::CapturedLog> lines = std::make_shared<test::CapturedLog>();
    Current<HubLimits> limits{HubLimits()};
    Bridges bridges{io.get_executor(), clock, Log(lines), limits, [](const StreamEnd&) {}};
};

TEST_F(BridgesTest, InternalFaultIsLoggedAndEndsTheStream) {
    auto [device, far_device] = test::make_memory_streams(io.get_executor());
    auto [service, far_service] = test::make_memory_streams(io.get_executor());
    start(std::make_unique<BrokenStream>(std::move(device)), std::move(service));
    EXPECT_EQ(bridges.list().size(), 1u);
    far_device->try_write(test::bytes_of("x"));
    test::poll(io);
    EXPECT_TRUE(bridges.list().empty());
    EXPECT_TRUE(lines->contains("error an internal fault code=DS-901"));
    test::run(io, bridges.until_empty());
}

}  // namespace
}  // namespace device_streams::hub
