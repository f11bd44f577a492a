// Takes the place of common/net/socket_calls_linux.cpp in this test program: the linker finds these first.
#include "tests/component/support/faulty_socket_calls.hpp"

#include "common/net/socket_calls.hpp"

#include <atomic>
#include <cerrno>
#include <mutex>
#include <random>
#include <sys/socket.h>
#include <unistd.h>

namespace device_streams {

namespace {

struct Plan {
    std::mutex mutex;
    std::mt19937_64 random;
    test::SocketFaultRates rates;
};
Plan plan;
std::atomic<bool> armed = false;
std::atomic<std::uint64_t> faults = 0;

// True, with errno set, when the call that would happen now is to fail.
bool fails(unsigned test::SocketFaultRates::*rate, int error) {
    if (!armed) return false;
    const std::lock_guard lock(plan.mutex);
    if (plan.random() % 1000 >= plan.rates.*rate) return false;
    ++faults;
    errno = error;
    return true;
}

bool transfer_fails() {
    using Rates = test::SocketFaultRates;
    return fails(&Rates::interrupted, EINTR) || fails(&Rates::would_block, EAGAIN) || fails(&Rates::reset, ECONNRESET);
}

std::size_t allowed(std::size_t size) {
    return size > 1 && fails(&test::SocketFaultRates::short_transfer, 0) ? 1 : size;
}

}  // namespace

test::SocketFaults::SocketFaults(std::uint64_t seed, const SocketFaultRates& rates) {
    const std::lock_guard lock(plan.mutex);
    plan.random.seed(seed);
    plan.rates = rates;
    armed = true;
}
test::SocketFaults::~SocketFaults() {
    armed = false;
}
std::uint64_t test::SocketFaults::injected() {
    return faults;
}

namespace socket_calls {

std::error_code last_error() {
    return {errno, asio::error::get_system_category()};
}

SocketHandle socket(int family) {
    if (fails(&test::SocketFaultRates::out_of_handles, EMFILE)) return no_socket;
    return ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}
bool bind(SocketHandle handle, const SocketAddress& address) {
    return ::bind(handle, address.data(), static_cast<socklen_t>(address.size())) == 0;
}
bool listen(SocketHandle handle, int backlog) {
    return ::listen(handle, backlog) == 0;
}
SocketHandle accept(SocketHandle listener) {
    if (fails(&test::SocketFaultRates::interrupted, EINTR)) return no_socket;
    if (fails(&test::SocketFaultRates::out_of_handles, EMFILE)) return no_socket;
    return ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
bool connect(SocketHandle handle, const SocketAddress& address) {
    return ::connect(handle, address.data(), static_cast<socklen_t>(address.size())) == 0;
}
std::ptrdiff_t recv(SocketHandle handle, void* into, std::size_t size) {
    if (transfer_fails()) return -1;
    return ::recv(handle, into, allowed(size), MSG_DONTWAIT);
}
std::ptrdiff_t peek(SocketHandle handle, void* into, std::size_t size) {
    if (fails(&test::SocketFaultRates::interrupted, EINTR)) return -1;
    return ::recv(handle, into, size, MSG_DONTWAIT | MSG_PEEK);
}
std::ptrdiff_t send(SocketHandle handle, const void* from, std::size_t size) {
    if (transfer_fails() || fails(&test::SocketFaultRates::out_of_buffers, ENOBUFS)) return -1;
    return ::send(handle, from, allowed(size), MSG_DONTWAIT | MSG_NOSIGNAL);
}
void shutdown(SocketHandle handle, asio::socket_base::shutdown_type what) {
    ::shutdown(handle, what);
}
void close(SocketHandle handle) {
    ::close(handle);
}

}  // namespace socket_calls

}  // namespace device_streams
