#include "common/net/socket.hpp"

#include "common/base/error.hpp"
#include "common/net/socket_options.hpp"

#include <algorithm>
#include <chrono>

namespace device_streams {

namespace {

constexpr std::chrono::seconds patience{60};
constexpr int probes = 3;

// Half of the time passes before the first probe, the rest until the last of them was not answered.
void time_probes(SocketHandle handle, std::chrono::steady_clock::duration silence) {
    constexpr std::chrono::seconds least{1};
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(silence);
    socket_options::time_probes(handle, std::max(seconds / 2, least), std::max(seconds / 2 / probes, least));
}

std::string describe_peer(SocketHandle handle) {
    const auto address = socket_options::peer_address(handle);
    return address ? describe(*address) : std::string(unknown_peer);
}

}  // namespace

Socket::Socket(const asio::any_io_executor& executor, SocketHandle handle)
    : readiness_(executor, handle), peer_(describe_peer(handle)), ack_watch_(patience) {
    socket_options::send_at_once(handle);
    socket_options::probe(handle, probes);
    time_probes(handle, patience);
}

std::optional<std::size_t> Socket::try_recv(WritableBytes into) {
    return receive_by(socket_calls::recv, into);
}

std::optional<std::size_t> Socket::try_peek(WritableBytes into) {
    return receive_by(socket_calls::peek, into);
}

template <typename Call>
std::optional<std::size_t> Socket::receive_by(Call call, WritableBytes into) {
    for (;;) {
        const auto size = call(handle(), into.data(), into.size());
        if (size <= 0) throw_if_failed();  // what came before a failure can still be read
        if (size >= 0) return static_cast<std::size_t>(size);
        const auto error = socket_calls::last_error();
        if (error == asio::error::would_block) return std::nullopt;
        if (error != asio::error::interrupted) fail(error);
    }
}

// The kernel tells an error to one call only, after which a reader would see a clean end.
void Socket::fail(const std::error_code& error) {
    failure_ = error;
    throw_if_failed();
}

std::size_t Socket::try_send(ReadableBytes bytes) {
    throw_if_failed();
    for (;;) {
        const auto size = socket_calls::send(handle(), bytes.data(), bytes.size());
        if (size >= 0) return static_cast<std::size_t>(size);
        const auto error = socket_calls::last_error();
        if (error == asio::error::would_block || error == asio::error::no_buffer_space) return 0;
        if (error == asio::error::interrupted) continue;
        // Where the kernel wakes no reader; the peer must see no end of file by it.
        socket_calls::shutdown(handle(), asio::socket_base::shutdown_receive);
        fail(error);
    }
}

void Socket::throw_if_failed() const {
    if (failure_) throw_stream_error(failure_);
}

asio::awaitable<void> Socket::wait_readable() {
    return readiness_.wait(asio::socket_base::wait_read);
}

asio::awaitable<void> Socket::wait_writable() {
    return readiness_.wait(asio::socket_base::wait_write);
}

LossMonitor Socket::watch(const asio::any_io_executor& strand, OnLost on_lost) {
    struct Watching {
        asio::steady_timer looks;
        std::shared_ptr<void> errors;
    };
    auto look = [this, on_lost = std::move(on_lost)](const std::error_code& error) {
        try {
            if (error) throw std::system_error(error);
            fail(failure_ ? failure_ : socket_options::take_error(handle()));
            return true;  // urgent data, or both directions ended in order: neither is a fault, and neither goes away
        } catch (...) {
            on_lost(std::current_exception());
            return false;
        }
    };
    auto errors = readiness_.monitor(asio::socket_base::wait_error, strand, std::move(look));
    const auto watching = std::make_shared<Watching>(Watching{asio::steady_timer(strand), std::move(errors)});
    look_later(std::shared_ptr<asio::steady_timer>(watching, &watching->looks));
    return watching;
}

// The watcher holds the timer; without it there are no more looks.
void Socket::look_later(const std::shared_ptr<asio::steady_timer>& timer) {
    timer->expires_after(ack_watch_.interval());
    timer->async_wait([this, held = std::weak_ptr(timer)](const asio::error_code& stopped) {
        const auto still_wanted = held.lock();
        if (stopped || !still_wanted) return;
        const auto state = socket_options::transport_state(handle());
        const auto verdict = state ? ack_watch_.look(*state) : AckWatch::Verdict::alive;
        if (verdict == AckWatch::Verdict::alive) return look_later(still_wanted);
        if (verdict == AckWatch::Verdict::swallowing && !failure_) failure_ = make_error_code(Errc::mtu_black_hole);
        give_up();
    });
}

void Socket::give_up() noexcept {
    if (!is_open()) return;
    if (!failure_) failure_ = asio::error::timed_out;
    socket_calls::shutdown(handle(), asio::socket_base::shutdown_both);  // wakes the coroutines that wait on it
}

void Socket::give_up_after(std::chrono::steady_clock::duration silence) {
    const AckWatch wanted(silence);
    if (wanted.interval() == ack_watch_.interval()) return;
    time_probes(handle(), silence);
    ack_watch_ = wanted;
}

void Socket::shutdown_write() noexcept {
    if (is_open()) socket_calls::shutdown(handle(), asio::socket_base::shutdown_send);
}

void Socket::close() noexcept {
    readiness_.close();
}

std::size_t Socket::undelivered() {
    return is_open() ? socket_options::unacknowledged(handle()) : 0;
}

void Socket::reset_on_close(bool yes) noexcept {
    if (is_open()) socket_options::reset_on_close(handle(), yes);
}

void Socket::reset() noexcept {
    reset_on_close(true);
    close();
}

}  // namespace device_streams
