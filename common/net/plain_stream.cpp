#include "common/net/plain_stream.hpp"

#include "common/async/join.hpp"

#include <asio/this_coro.hpp>

#include <array>

namespace device_streams {

std::optional<std::size_t> PlainStream::try_read(WritableBytes into) {
    if (!writing_) send_leftover();
    const auto size = connection_->try_recv(into);
    if (size == 0U) ended_ = true;
    return size;
}

asio::awaitable<void> PlainStream::wait_readable() {
    if (has_leftover() && !writing_) return first_of(connection_->wait_readable(), flush());
    return connection_->wait_readable();
}

asio::awaitable<void> PlainStream::write_all(OutBytes out) {
    struct Guard {
        PlainStream& stream;
        std::size_t whole;
        ~Guard() { stream.keep_rest(whole); }
    } const guard{*this, out.bytes.size()};
    writing_ = true;
    co_await flush();
    rest_ = out.bytes;
    co_await flush();
}

// A write that was cut short after its first byte leaves the others behind, so that the next one may follow.
void PlainStream::keep_rest(std::size_t whole) noexcept {
    writing_ = false;
    try {
        if (rest_.size() < whole) leftover_.insert(leftover_.end(), rest_.begin(), rest_.end());
    } catch (...) {
        failure_ = std::current_exception();
        connection_->give_up();
    }
    rest_ = {};
}

bool PlainStream::try_write(ReadableBytes bytes) {
    send_leftover();
    if (failure_ || has_leftover()) return false;
    const auto sent = send_now(bytes);
    if (failure_) return false;
    leftover_.assign(bytes.begin() + static_cast<std::ptrdiff_t>(sent), bytes.end());
    return true;
}

asio::awaitable<void> PlainStream::flush() {
    for (;;) {
        send_leftover();
        if (failure_) std::rethrow_exception(failure_);
        if (!has_leftover()) co_return;
        co_await connection_->wait_writable();
    }
}

void PlainStream::send_leftover() {
    const auto sent = static_cast<std::ptrdiff_t>(send_now(leftover_));
    leftover_.erase(leftover_.begin(), leftover_.begin() + sent);
    if (leftover_.empty()) rest_ = rest_.subspan(send_now(rest_));
}

// A send that fails is kept for later: what the peer sent before it left can still be read.
std::size_t PlainStream::send_now(ReadableBytes bytes) {
    if (failure_ || bytes.empty()) return 0;
    try {
        return connection_->try_send(bytes);
    } catch (...) {
        failure_ = std::current_exception();
        return 0;
    }
}

asio::awaitable<void> PlainStream::close(CloseReason close_reason) {
    if (close_reason != CloseReason::clean) {
        abort(close_reason);
        co_return;
    }
    const auto watching = connection_->watch(co_await asio::this_coro::executor, ignore_loss);
    co_await flush();
    connection_->shutdown_write();
    std::array<std::byte, 4096> dropped;
    while (!ended_ && co_await read_some(dropped) != 0) {
    }
    connection_->close();
}

void PlainStream::abort(CloseReason reason) noexcept {
    if (reason == CloseReason::lost)
        connection_->reset();
    else
        connection_->close();
}

}  // namespace device_streams
