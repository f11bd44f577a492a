#include "common/net/socket_stream.hpp"

#include "common/async/join.hpp"

#include <array>

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

asio::awaitable<void> SocketStream::watch() {
    return socket_.watch();
}

asio::awaitable<void> SocketStream::close(Ending ending) {
    if (ending != Ending::clean) {
        socket_.reset();
        co_return;
    }
    co_await finish();
    socket_.reset_on_close(false);  // all is in the kernel's hands, which goes on delivering without us
    co_await first_of(drop_input(), watch());
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
