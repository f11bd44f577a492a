#include "common/net/socket_stream.hpp"

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace device_streams {

namespace {
// Between two looks at what is still on its way.
constexpr std::chrono::milliseconds shortest_nap{2}, longest_nap{250};
constexpr int reads_per_turn = 16;
}  // namespace

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

LossMonitor SocketStream::watch(const asio::any_io_executor& strand, OnLost on_lost) {
    return socket_.watch(strand, std::move(on_lost));
}

asio::awaitable<void> SocketStream::close(CloseReason close_reason) {
    const auto watching = socket_.watch(co_await asio::this_coro::executor, ignore_loss);
    if (close_reason != CloseReason::clean) {
        co_await deliver();
        socket_.reset();
        co_return;
    }
    co_await finish();
    socket_.reset_on_close(false);  // all is in the kernel's hands, which goes on delivering without us
    co_await drop_input();
}

// A reset takes back what a slow reader's kernel has not taken yet, and the kernel does not tell when it has. A slow
// reader may have to send something before it goes on, so that is taken meanwhile.
asio::awaitable<void> SocketStream::deliver() {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (auto nap = shortest_nap; socket_.undelivered() > 0; nap = std::min(2 * nap, longest_nap)) {
        if (drop_ready_input()) nap = shortest_nap;
        timer.expires_after(nap);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

// True when there was some. Not all of a flood at once: other streams of the thread have their turns too.
bool SocketStream::drop_ready_input() {
    std::array<std::byte, 16 * 1024> dropped;
    int turn = 0;
    while (turn < reads_per_turn && socket_.try_recv(dropped).value_or(0) != 0) ++turn;
    return turn > 0;
}

asio::awaitable<void> SocketStream::drop_input() {
    std::array<std::byte, 4096> dropped;
    for (int turn = 1; co_await read_some(dropped) != 0; ++turn)
        if (turn % reads_per_turn == 0) co_await asio::post(asio::use_awaitable);
}

void SocketStream::abort(CloseReason) noexcept {
    socket_.reset();
}

}  // namespace device_streams
