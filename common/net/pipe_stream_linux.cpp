#include "common/net/pipe_stream.hpp"

#include "common/async/join.hpp"
#include "common/net/readiness.hpp"

#include <climits>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

constexpr short broken = POLLERR | POLLHUP | POLLNVAL;

// What the other program has not read, and never will, now that it has closed `out`; more than 0 also where nobody can
// tell. A socket whose peer left bytes unread shows a reset.
bool is_undelivered(int out) {
    struct stat status {};
    if (::fstat(out, &status) != 0) return true;
    if (S_ISSOCK(status.st_mode)) return (poll_now(out, 0) & (POLLERR | POLLNVAL)) != 0;
    int unread = 0;
    return !S_ISFIFO(status.st_mode) || ::ioctl(out, FIONREAD, &unread) != 0 || unread != 0;
}

int take(int standard, int replacement) {
    const int moved = ::fcntl(standard, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (moved < 0 || ::dup2(replacement, standard) < 0)
        throw std::system_error(errno, std::generic_category(), "standard stream");
    return moved;
}

class PipeStream final : public ByteStream {
 public:
    PipeStream(const asio::any_io_executor& executor, int in, int out);
    ~PipeStream() override;

    std::optional<std::size_t> try_read(WritableBytes into) override;
    asio::awaitable<void> wait_readable() override;
    asio::awaitable<void> write_all(OutBytes out) override;
    asio::awaitable<void> finish() override;
    bool half_close() const override { return true; }
    bool ended() const override { return false; }
    LossMonitor watch(const asio::any_io_executor& strand, OnLost on_lost) override;
    asio::awaitable<void> drain_until_closed() override;
    asio::awaitable<void> close(CloseReason close_reason) override;
    std::size_t undelivered() override { return 0; }
    void abort(CloseReason reason) noexcept override;

 private:
    std::optional<StreamError> look_for_the_other_program();
    bool is_input_over() const;
    void close_out() noexcept;
    [[noreturn]] void fail(const std::error_code& error);

    int in_, out_;             // -1: closed
    std::error_code failure_;  // of the first write that failed: reads fail too, behind what is there
    // Empty when such a descriptor is always ready, as a file is.
    std::optional<Readiness> readable_, writable_;
    std::optional<Readiness> broken_;  // of the output; of the input once the output is
};

std::error_code last_error() {
    return {errno, asio::error::get_system_category()};
}

// By way of an epoll descriptor, as Asio would set O_NONBLOCK on what it waits for. `events` as in epoll_ctl(2); errors
// always count.
std::optional<Readiness> watched(const asio::any_io_executor& executor, int fd, std::uint32_t events) {
    int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) throw std::system_error(errno, std::generic_category(), "epoll");
    epoll_event event{.events = events, .data = {}};
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0) return Readiness(executor, epoll);
    close_quietly(epoll);
    return std::nullopt;
}

void close_quietly(std::optional<Readiness>& readiness) noexcept {
    if (readiness) readiness->close();
}

PipeStream::PipeStream(const asio::any_io_executor& executor, int in, int out)
    : in_(in),
      out_(out),
      readable_(watched(executor, in, EPOLLIN)),
      writable_(watched(executor, out, EPOLLOUT)),
      broken_(watched(executor, out, 0)) {
}

PipeStream::~PipeStream() {
    abort(CloseReason::cancelled);
}

std::optional<std::size_t> PipeStream::try_read(WritableBytes into) {
    while (poll_now(in_, POLLIN) != 0) {
        const auto size = ::read(in_, into.data(), into.size());
        if (size == 0 && failure_) break;
        if (size >= 0) return static_cast<std::size_t>(size);
        if (errno == EAGAIN) break;
        if (errno != EINTR) throw_stream_error(last_error());
    }
    if (failure_) throw_stream_error(failure_);
    return std::nullopt;
}

asio::awaitable<void> PipeStream::wait_readable() {
    if (!readable_) co_return;
    try {
        co_await readable_->wait(asio::socket_base::wait_read);
    } catch (const std::system_error&) {
        if (!failure_) throw;
    }
}

// Wakes a reader that waits for input.
void PipeStream::fail(const std::error_code& error) {
    failure_ = error;
    close_quietly(readable_);
    throw_stream_error(error);
}

asio::awaitable<void> PipeStream::write_all(OutBytes out) {
    for (auto rest = out.bytes; !rest.empty();) {
        if ((poll_now(out_, POLLOUT) & (POLLOUT | POLLERR)) == 0) {
            if (!writable_) throw_stream_error(asio::error::bad_descriptor);  // closed: a file is ready until then
            co_await writable_->wait(asio::socket_base::wait_read);
            continue;
        }
        // A pipe that is writable takes this much without blocking (POSIX).
        const auto size = ::write(out_, rest.data(), std::min<std::size_t>(rest.size(), PIPE_BUF));
        if (size >= 0) rest = rest.subspan(static_cast<std::size_t>(size));
        if (size < 0 && errno != EINTR && errno != EAGAIN) fail(last_error());
    }
}

asio::awaitable<void> PipeStream::finish() {
    // A socket that is the input as well is not closed by closing this descriptor.
    if (out_ >= 0) ::shutdown(out_, SHUT_WR);
    close_out();
    co_return;
}

void PipeStream::close_out() noexcept {
    close_quietly(writable_);
    close_quietly(broken_);
    close_quietly(out_);
}

LossMonitor PipeStream::watch(const asio::any_io_executor& strand, OnLost on_lost) {
    if (!broken_ || !broken_->is_open()) return nullptr;
    auto look = [this, on_lost = std::move(on_lost)](const std::error_code& error) {
        if (out_ < 0) return false;  // finished meanwhile
        if (error) {
            on_lost(std::make_exception_ptr(std::system_error(error)));
            return false;
        }
        const auto left = look_for_the_other_program();
        if (!left) return true;
        on_lost(std::make_exception_ptr(*left));
        return false;
    };
    return broken_->monitor(asio::socket_base::wait_read, strand, std::move(look));
}

// Who closed the output alone may still send: as with a socket, that shows when something is written to it.
std::optional<StreamError> PipeStream::look_for_the_other_program() {
    if ((poll_now(out_, 0) & broken) == 0) return std::nullopt;
    if (is_undelivered(out_)) return StreamError(CloseReason::reset, "nobody reads the output any more");
    if (is_input_over()) return StreamError(CloseReason::clean, "the client has closed its input and its output");
    epoll_event event{.events = EPOLLRDHUP, .data = {}};
    static_cast<void>(::epoll_ctl(broken_->handle(), EPOLL_CTL_DEL, out_, nullptr));
    static_cast<void>(::epoll_ctl(broken_->handle(), EPOLL_CTL_ADD, in_, &event));
    return std::nullopt;
}

// Of a file nobody can tell, and of one that was closed here nobody will read.
bool PipeStream::is_input_over() const {
    return in_ < 0 || !readable_ || (poll_now(in_, POLLRDHUP) & (POLLRDHUP | broken)) != 0;
}

asio::awaitable<void> PipeStream::drain_until_closed() {
    try {
        co_await wait_until_lost(*this);
    } catch (const StreamError& left) {
        if (left.close_reason() != CloseReason::clean) throw;
    }
}

asio::awaitable<void> PipeStream::close(CloseReason close_reason) {
    abort(close_reason);
    co_return;
}

void PipeStream::abort(CloseReason) noexcept {
    close_quietly(readable_);
    close_quietly(in_);
    close_out();
}

}  // namespace

std::unique_ptr<ByteStream> make_pipe_stream(const asio::any_io_executor& executor, int in, int out) {
    return std::make_unique<PipeStream>(executor, in, out);
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
