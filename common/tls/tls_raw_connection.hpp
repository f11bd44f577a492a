#pragma once

#include "common/tls/tls_stream.hpp"

#include <memory>
#include <utility>

namespace device_streams {

/// TLS as what other TLS runs on: the way to the hub through a proxy that is spoken to by TLS itself.
class TlsRawConnection final : public RawConnection {
 public:
    /// `outer` has its handshake behind it.
    explicit TlsRawConnection(std::unique_ptr<TlsStream> outer) : outer_(std::move(outer)) {}

    std::optional<std::size_t> try_recv(WritableBytes into) override { return outer_->try_read(into); }
    std::size_t try_send(ReadableBytes bytes) override { return outer_->try_send(bytes); }
    asio::awaitable<void> wait_readable() override { return outer_->wait_readable(); }
    asio::awaitable<void> wait_writable() override { return outer_->finish(); }
    LossMonitor watch(const asio::any_io_executor& strand, OnLost on_lost) override {
        return outer_->watch(strand, std::move(on_lost));
    }
    void give_up_after(std::chrono::steady_clock::duration silence) override { outer_->give_up_after(silence); }
    void give_up() noexcept override { outer_->give_up(); }
    /// Nothing: what waits has to go out first, and the inner TLS has said goodbye.
    void shutdown_write() noexcept override {}
    std::size_t undelivered() override { return outer_->undelivered(); }
    void close() noexcept override { outer_->abort(CloseReason::cancelled); }
    void reset() noexcept override { outer_->abort(CloseReason::lost); }
    const std::string& peer() const override { return outer_->peer(); }
    bool holds_output() const override { return outer_->pending_output() > 0; }
    bool is_tls() const override { return true; }

 private:
    std::unique_ptr<TlsStream> outer_;
};

}  // namespace device_streams
