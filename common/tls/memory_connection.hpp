#pragma once

#include "common/net/raw_connection.hpp"

#include <deque>

namespace device_streams {

/// A raw connection in memory: it gives what others have put into `incoming`, and takes nothing. Nobody can wait on it.
class MemoryConnection final : public RawConnection {
 public:
    using Bytes = std::deque<std::byte>;
    /// `incoming` outlives it.
    explicit MemoryConnection(Bytes& incoming) : incoming_(incoming) {}

    std::size_t most_at_once = SIZE_MAX;  ///< bytes for one try_recv
    bool ended = false;                   ///< what is behind `incoming` is the end, not silence

    std::optional<std::size_t> try_recv(WritableBytes into) override;
    std::size_t try_send(ReadableBytes) override { return 0; }
    asio::awaitable<void> wait_readable() override;
    asio::awaitable<void> wait_writable() override;
    LossMonitor watch(const asio::any_io_executor&, OnLost) override;
    void give_up_after(std::chrono::steady_clock::duration) override {}
    void give_up() noexcept override {}
    void shutdown_write() noexcept override {}
    std::size_t undelivered() override { return 0; }
    void close() noexcept override {}
    void reset() noexcept override {}
    const std::string& peer() const override;

 private:
    Bytes& incoming_;
};

}  // namespace device_streams
