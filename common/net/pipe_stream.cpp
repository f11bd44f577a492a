#include "common/net/pipe_stream.hpp"

#include <asio/error.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <climits>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace device_streams {

namespace {

using Descriptor = asio::posix::stream_descriptor;

short poll_now(int fd, short events) {
    pollfd entry{.fd = fd, .events = events, .revents = 0};
    return ::poll(&entry, 1, 0) > 0 ? entry.revents : short{0};
}

[[noreturn]] void throw_leg_error(int error) {
    throw LegError(error == EPIPE || error == ECONNRESET ? Ending::reset : Ending::lost, std::strerror(error));
}

void close_quietly(Descriptor& descriptor) noexcept {
    asio::error_code ignored;
    descriptor.close(ignored);
}

int take(int standard, int replacement) {
    const int moved = ::fcntl(standard, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (moved < 0 || ::dup2(replacement, standard) < 0)
        throw std::system_error(errno, std::generic_category(), "standard stream");
    return moved;
}

}  // namespace

PipeStream::PipeStream(const asio::any_io_executor& executor, int in, int out)
    : in_(executor, in), out_(executor, out) {
}

std::optional<std::size_t> PipeStream::try_read(WritableBytes into) {
    while (poll_now(in_.native_handle(), POLLIN) != 0) {
        const auto size = ::read(in_.native_handle(), into.data(), into.size());
        if (size >= 0) return static_cast<std::size_t>(size);
        if (errno == EAGAIN) return std::nullopt;
        if (errno != EINTR) throw_leg_error(errno);
    }
    return std::nullopt;
}

asio::awaitable<void> PipeStream::wait_readable() {
    return in_.async_wait(Descriptor::wait_read, asio::use_awaitable);
}

asio::awaitable<void> PipeStream::write_all(OutBytes out) {
    for (auto rest = out.bytes; !rest.empty();) {
        if ((poll_now(out_.native_handle(), POLLOUT) & (POLLOUT | POLLERR)) == 0) {
            co_await out_.async_wait(Descriptor::wait_write, asio::use_awaitable);
            continue;
        }
        // A pipe that is writable takes this much without blocking (POSIX).
        const auto size = ::write(out_.native_handle(), rest.data(), std::min<std::size_t>(rest.size(), PIPE_BUF));
        if (size >= 0) rest = rest.subspan(static_cast<std::size_t>(size));
        if (size < 0 && errno != EINTR && errno != EAGAIN) throw_leg_error(errno);
    }
}

asio::awaitable<void> PipeStream::finish() {
    close_quietly(out_);
    co_return;
}

asio::awaitable<void> PipeStream::watch() {
    asio::steady_timer nap(co_await asio::this_coro::executor);
    while (out_.is_open()) {
        asio::error_code woken;
        co_await out_.async_wait(Descriptor::wait_error, asio::redirect_error(asio::use_awaitable, woken));
        if (!out_.is_open() || woken) break;  // finished; or a file, which has no reader to lose
        if ((poll_now(out_.native_handle(), 0) & (POLLERR | POLLHUP | POLLNVAL)) != 0)
            throw LegError(Ending::reset, "nobody reads the output any more");
        nap.expires_after(std::chrono::milliseconds(100));
        co_await nap.async_wait(asio::use_awaitable);
    }
    nap.expires_at(asio::steady_timer::time_point::max());
    co_await nap.async_wait(asio::use_awaitable);
}

asio::awaitable<void> PipeStream::close(Ending) {
    close_quietly(in_);
    close_quietly(out_);
    co_return;
}

void PipeStream::abort(Ending) noexcept {
    close_quietly(in_);
    close_quietly(out_);
}

std::pair<int, int> take_standard_streams() {
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing < 0) throw std::system_error(errno, std::generic_category(), "/dev/null");
    const int in = take(STDIN_FILENO, nothing);
    const int out = take(STDOUT_FILENO, nothing);
    ::close(nothing);
    return {in, out};
}

}  // namespace device_streams
