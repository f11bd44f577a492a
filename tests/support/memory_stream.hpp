#pragma once

#include "common/net/byte_stream.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>

#include <deque>
#include <memory>
#include <string>

namespace device_streams::test {

/// One direction of a MemoryStream pair.
struct MemoryPipe {
    explicit MemoryPipe(const asio::any_io_executor& executor)
        : changed(executor, asio::steady_timer::time_point::max()) {}
    void notify() { changed.cancel(); }
    std::deque<std::byte> bytes;
    std::size_t capacity = 64 * 1024;  ///< writers wait beyond it
    bool finished = false;
    bool broken = false;  ///< reset from either end
    CloseReason broken_as = CloseReason::reset;
    asio::steady_timer changed;
};

/// A stream in memory with the rules of TCP: bounded, half-close, reset. For one io_context run by one thread.
class MemoryStream : public Transport {
 public:
    MemoryStream(std::shared_ptr<MemoryPipe> in, std::shared_ptr<MemoryPipe> out, bool half_close);

    std::optional<std::size_t> try_read(WritableBytes into) override;
    asio::awaitable<void> wait_readable() override;
    asio::awaitable<void> write_all(OutBytes out) override;
    bool try_write(ReadableBytes bytes) override;
    asio::awaitable<void> finish() override;
    bool half_close() const override { return half_close_; }
    bool ended() const override { return whole_stream_ended; }
    LossMonitor watch(const asio::any_io_executor& strand, OnLost on_lost) override;
    asio::awaitable<void> drain_until_closed() override;
    asio::awaitable<void> close(CloseReason close_reason) override;
    std::size_t undelivered() override { return still_delivering ? undelivered_bytes : 0; }
    void abort(CloseReason reason) noexcept override;
    void give_up() noexcept override;

    // What a test sets or looks at.
    bool peer_left = false;                   ///< in order, as a program does that closes both its pipes
    bool whole_stream_ended = false;          ///< makes the next end of direction an end of the stream
    std::size_t read_limit = SIZE_MAX;        ///< bytes per try_read at most
    std::optional<CloseReason> closed_with;   ///< by close()
    bool still_delivering = false;            ///< a clean close() waits for it
    std::size_t undelivered_bytes = 1;        ///< while it is still delivering
    std::optional<StreamError> objection;     ///< to a clean close()
    bool closed_well = false;                 ///< close() was not given up
    std::optional<CloseReason> aborted_with;  ///< by abort()
    MemoryPipe& in() { return *in_; }
    MemoryPipe& out() { return *out_; }

 private:
    std::shared_ptr<MemoryPipe> in_, out_;
    bool half_close_;
    bool end_told_ = false;
};

/// Two connected streams. `half_close` false: as a plain WebSocket, finish() ends nothing.
std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>> make_memory_streams(
    const asio::any_io_executor& executor, bool half_close = true);

/// For tests that write and read text.
ReadableBytes bytes_of(std::string_view text);
std::string text_of(ReadableBytes bytes);

}  // namespace device_streams::test
