#pragma once

#include "common/net/byte_stream.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include <cstdint>
#include <utility>

namespace device_streams {

/// Two descriptors, one for each direction, as a ByteStream: pipes, sockets, terminals and files alike. Their
/// O_NONBLOCK flags stay as they are, since other programs share them; calls are made only when they cannot block.
class PipeStream final : public ByteStream {
 public:
    /// Takes ownership of both.
    PipeStream(const asio::any_io_executor& executor, int in, int out);
    ~PipeStream() override;

    std::optional<std::size_t> try_read(WritableBytes into) override;
    asio::awaitable<void> wait_readable() override;
    asio::awaitable<void> write_all(OutBytes out) override;
    /// Closes the outgoing descriptor; of a socket, ends its outgoing direction.
    asio::awaitable<void> finish() override;
    bool half_close() const override { return true; }
    bool ended() const override { return false; }
    /// Lost once nobody can read the outgoing descriptor any more.
    LossMonitor watch(const asio::any_io_executor& strand, OnLost on_lost) override;
    asio::awaitable<void> close(CloseReason close_reason) override;
    std::size_t undelivered() override { return 0; }
    void abort(CloseReason reason) noexcept override;

 private:
    /// Waits on a descriptor by way of an epoll descriptor: Asio would set O_NONBLOCK on what it waits for.
    class Waiter {
     public:
        /// `events` as in epoll_ctl(2); errors always count.
        Waiter(const asio::any_io_executor& executor, int fd, std::uint32_t events);
        /// False when such a descriptor is always ready, as a file is.
        bool can_wait() const { return epoll_.is_open(); }
        asio::awaitable<void> wait();
        asio::posix::stream_descriptor& descriptor() { return epoll_; }
        void close() noexcept;

     private:
        asio::posix::stream_descriptor epoll_;
    };
    void close_out() noexcept;
    [[noreturn]] void fail(int error);

    int in_, out_;     // -1: closed
    int failure_ = 0;  // errno of the first write that failed: reads fail too, behind what is there
    Waiter readable_, writable_, broken_;
};

/// Moves standard input and output to other descriptors and leaves /dev/null in their place, so that no stray print can
/// get into the stream. Throws std::system_error.
std::pair<int, int> take_standard_streams();

}  // namespace device_streams
