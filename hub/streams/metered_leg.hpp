#pragma once

#include "common/net/byte_stream.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace device_streams::hub {

/// A leg whose payload is counted as it is read, so that others can look while the stream runs.
class MeteredLeg final : public ByteStream {
 public:
    explicit MeteredLeg(std::unique_ptr<ByteStream> leg) : leg_(std::move(leg)) {}

    std::optional<std::size_t> try_read(WritableBytes into) override {
        const auto size = leg_->try_read(into);
        if (size) received_.fetch_add(*size, std::memory_order_relaxed);
        return size;
    }
    asio::awaitable<void> wait_readable() override { return leg_->wait_readable(); }
    asio::awaitable<void> write_all(OutBytes out) override { return leg_->write_all(out); }
    asio::awaitable<void> finish() override { return leg_->finish(); }
    bool half_close() const override { return leg_->half_close(); }
    bool ended() const override { return leg_->ended(); }
    LossMonitor watch(const asio::any_io_executor& strand, OnLost on_lost) override {
        return leg_->watch(strand, std::move(on_lost));
    }
    asio::awaitable<void> drain_until_closed() override { return leg_->drain_until_closed(); }
    asio::awaitable<void> close(CloseReason close_reason) override { return leg_->close(close_reason); }
    std::size_t undelivered() override { return leg_->undelivered(); }
    void abort(CloseReason reason) noexcept override { leg_->abort(reason); }

    /// Bytes so far. Any thread.
    std::uint64_t received() const { return received_.load(std::memory_order_relaxed); }

 private:
    std::unique_ptr<ByteStream> leg_;
    std::atomic<std::uint64_t> received_ = 0;
};

}  // namespace device_streams::hub
