#include "common/net/pipe_stream.hpp"

#include "common/net/descriptor_monitor.hpp"

#include <asio/use_awaitable.hpp>
#include <climits>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace device_streams {

namespace {

short poll_now(int fd, short events) {
    pollfd entry{.fd = fd, .events = events, .revents = 0};
    return ::poll(&entry, 1, 0) > 0 ? entry.revents : short{0};
}

void close_quietly(int& fd) noexcept {
    if (fd >= 0) ::close(fd);
    fd = -1;
}

int take(int standard, int replacement) {
    const int moved = ::fcntl(standard, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (moved < 0 || ::dup2(replacement, standard) < 0)
        throw std::system_error(errno, std::generic_category(), "standard stream");
    return moved;
}

}  // namespace

PipeStream::Waiter::Waiter(const asio::any_io_executor& executor, int fd, std::uint32_t events) : epoll_(executor) {
    int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) throw std::system_error(errno, std::generic_category(), "epoll");
    epoll_event event{.events = events, .data = {}};
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0) {
        epoll_.assign(epoll);
    } else {
        close_quietly(epoll);
    }
}

asio::awaitable<void> PipeStream::Waiter::wait() {
    return epoll_.async_wait(asio::posix::descriptor_base::wait_read, asio::use_awaitable);
}

void PipeStream::Waiter::close() noexcept {
    asio::error_code ignored;
    epoll_.close(ignored);
}

PipeStream::PipeStream(const asio::any_io_executor& executor, int in, int out)
    : in_(in),
      out_(out),
      readable_(executor, in, EPOLLIN),
      writable_(executor, out, EPOLLOUT),
      broken_(executor, out, 0) {
}

PipeStream::~PipeStream() {
    abort(CloseReason::cancelled);
}

std::optional<std::size_t> PipeStream::try_read(WritableBytes into) {
    while (poll_now(in_, POLLIN) != 0) {
        const auto size = ::read(in_, into.data(), into.size());
        if (size == 0 && failure_ != 0) break;
        if (size >= 0) return static_cast<std::size_t>(size);
        if (errno == EAGAIN) break;
        if (errno != EINTR) throw_stream_error(errno);
    }
    if (failure_ != 0) throw_stream_error(failure_);
    return std::nullopt;
}

asio::awaitable<void> PipeStream::wait_readable() {
    if (!readable_.can_wait()) co_return;
    try {
        co_await readable_.wait();
    } catch (const std::system_error&) {
        if (failure_ == 0) throw;
    }
}

// Whoever waits for input is woken.
void PipeStream::fail(int error) {
    failure_ = error;
    readable_.close();
    throw_stream_error(error);
}

asio::awaitable<void> PipeStream::write_all(OutBytes out) {
    for (auto rest = out.bytes; !rest.empty();) {
        if ((poll_now(out_, POLLOUT) & (POLLOUT | POLLERR)) == 0) {
            co_await writable_.wait();
            continue;
        }
        // A pipe that is writable takes this much without blocking (POSIX).
        const auto size = ::write(out_, rest.data(), std::min<std::size_t>(rest.size(), PIPE_BUF));
        if (size >= 0) rest = rest.subspan(static_cast<std::size_t>(size));
        if (size < 0 && errno != EINTR && errno != EAGAIN) fail(errno);
    }
}

asio::awaitable<void> PipeStream::finish() {
    // A socket that is the input as well is not closed by closing this descriptor.
    if (out_ >= 0) ::shutdown(out_, SHUT_WR);
    close_out();
    co_return;
}

void PipeStream::close_out() noexcept {
    writable_.close();
    broken_.close();
    close_quietly(out_);
}

LossMonitor PipeStream::watch(const asio::any_io_executor& strand, OnLost on_lost) {
    if (!broken_.can_wait()) return nullptr;
    auto look = [this, on_lost = std::move(on_lost)](const asio::error_code& error) {
        if (out_ < 0) return false;  // finished meanwhile
        if (error) {
            on_lost(std::make_exception_ptr(std::system_error(error)));
            return false;
        }
        if ((poll_now(out_, 0) & (POLLERR | POLLHUP | POLLNVAL)) == 0) return true;
        on_lost(std::make_exception_ptr(StreamError(CloseReason::reset, "nobody reads the output any more")));
        return false;
    };
    auto watching = std::make_shared<DescriptorMonitor>(broken_.descriptor(), asio::posix::descriptor_base::wait_read,
                                                        strand, std::move(look));
    watching->start();
    return watching;
}

asio::awaitable<void> PipeStream::close(CloseReason close_reason) {
    abort(close_reason);
    co_return;
}

void PipeStream::abort(CloseReason) noexcept {
    readable_.close();
    close_quietly(in_);
    close_out();
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
