#pragma once

#include "common/net/socket.hpp"

namespace device_streams {

/// A plain TCP or Unix connection as a ByteStream.
class SocketStream final : public ByteStream {
 public:
    /// From here on the peer sees RST if this process dies: what it got so far may not be all.
    explicit SocketStream(Socket socket);

    std::optional<std::size_t> try_read(WritableBytes into) override;
    asio::awaitable<void> wait_readable() override;
    asio::awaitable<void> write_all(OutBytes out) override;
    asio::awaitable<void> finish() override;
    bool half_close() const override { return true; }
    bool ended() const override { return false; }
    LossMonitor watch(const asio::any_io_executor& strand, OnLost on_lost) override;
    std::size_t undelivered() override { return socket_.undelivered(); }
    /// `clean`: FIN, then what the peer still sends is read and dropped until its FIN, so that the kernel does not turn
    /// our close into RST. Anything else: RST, once the peer's kernel has all that was written.
    asio::awaitable<void> close(CloseReason close_reason) override;
    void abort(CloseReason reason) noexcept override;

    const std::string& peer() const { return socket_.peer(); }

 private:
    asio::awaitable<void> drop_input();
    asio::awaitable<void> deliver();
    bool drop_ready_input();

    Socket socket_;
    bool finished_ = false;
};

}  // namespace device_streams
