#include "common/net/socket_stream.hpp"

#include <asio/this_coro.hpp>

#include <array>
#include <utility>

namespace device_streams {

SocketStream::SocketStream(Socket socket) : socket_(std::move(socket)) {
    socket_.reset_on_close(true);
}

std::optional<std::size_t> SocketStream::try_read(WritableBytes into) {
    return socket_.try_recv(into);
}

asio::awaitable<void> SocketStream::wait_readable() {
    return socket_.wait_readable();
}

asio::awaitable<void> SocketStream::write_all(OutBytes out) {
    for (auto rest = out.bytes; !rest.empty();) {
        const auto sent = socket_.try_send(rest);
        rest = rest.subspan(sent);
        if (!rest.empty() && sent == 0) co_await socket_.wait_writable();
    }
}

asio::awaitable<void> SocketStream::finish() {
    if (!finished_) socket_.shutdown_write();
    finished_ = true;
    co_return;
}

Watch SocketStream::watch(const asio::any_io_executor& strand, Gone gone) {
    return socket_.watch(strand, std::move(gone));
}

asio::awaitable<void> SocketStream::close(Ending ending) {
    if (ending != Ending::clean) {
        socket_.reset();
        co_return;
    }
    co_await finish();
    socket_.reset_on_close(false);  // all is in the kernel's hands, which goes on delivering without us
    const auto watching = socket_.watch(co_await asio::this_coro::executor, told_elsewhere);
    co_await drop_input();
}

asio::awaitable<void> SocketStream::drop_input() {
    std::array<std::byte, 4096> dropped;
    while (co_await read_some(dropped) != 0) {
    }
}

void SocketStream::abort(Ending) noexcept {
    socket_.reset();
}

}  // namespace device_streams
