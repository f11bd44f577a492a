#pragma once

#include "common/net/byte_stream.hpp"
#include "common/net/raw_connection.hpp"

#include <exception>
#include <memory>
#include <vector>

namespace device_streams {

/// A connection without TLS, with which TLS can be left out: from a front end on the same machine that has ended it.
///
/// Memory is bounded: what the connection does not take of a write_all waits in the writer's own bytes; the left-over
/// buffer holds one try_write, or the rest of a write_all that was cancelled.
class PlainStream final : public Transport {
 public:
    explicit PlainStream(std::unique_ptr<RawConnection> connection) : connection_(std::move(connection)) {}

    std::optional<std::size_t> try_read(WritableBytes into) override;
    asio::awaitable<void> wait_readable() override;
    asio::awaitable<void> write_all(OutBytes out) override;
    bool try_write(ReadableBytes bytes) override;
    void give_up_after(std::chrono::steady_clock::duration silence) override { connection_->give_up_after(silence); }
    void give_up() noexcept override { connection_->give_up(); }
    /// Flushes; as with TLS, no direction ends alone.
    asio::awaitable<void> finish() override { return flush(); }
    bool half_close() const override { return false; }
    bool ended() const override { return ended_; }
    LossMonitor watch(const asio::any_io_executor& strand, OnLost on_lost) override {
        return connection_->watch(strand, std::move(on_lost));
    }
    std::size_t undelivered() override { return rest_.size() + leftover_.size() + connection_->undelivered(); }
    /// `clean`: FIN, and reading until the peer's end. Else: as abort().
    asio::awaitable<void> close(CloseReason close_reason) override;
    void abort(CloseReason reason) noexcept override;

 private:
    asio::awaitable<void> flush();
    void send_leftover();
    void keep_rest(std::size_t whole) noexcept;
    std::size_t send_now(ReadableBytes bytes);
    bool has_leftover() const { return !rest_.empty() || !leftover_.empty(); }

    std::unique_ptr<RawConnection> connection_;
    WritableBytes rest_;               // what was not taken yet, in the bytes of the writer
    std::vector<std::byte> leftover_;  // the same in memory of our own
    bool writing_ = false;             // inside write_all: the writer flushes, not the reader
    bool ended_ = false;
    std::exception_ptr failure_;  // met where it could not be thrown; every later operation throws it
};

}  // namespace device_streams
