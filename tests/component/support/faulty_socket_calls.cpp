// Takes the place of common/net/socket_calls_linux.cpp in this test program: the linker finds these first.
#include "tests/component/support/faulty_socket_calls.hpp"

#include "common/net/socket_calls.hpp"

#include <atomic>
#include <cerrno>
#include <linux/sockios.h>
#include <mutex>
#include <random>
#include <sys/ioctl.h>
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

int socket(int domain, int type) {
    if (fails(&test::SocketFaultRates::out_of_handles, EMFILE)) return -1;
    return ::socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}
int bind(int fd, const sockaddr* address, socklen_t size) {
    return ::bind(fd, address, size);
}
int listen(int fd, int backlog) {
    return ::listen(fd, backlog);
}
int accept(int fd, sockaddr* address, socklen_t* size) {
    if (fails(&test::SocketFaultRates::interrupted, EINTR)) return -1;
    if (fails(&test::SocketFaultRates::out_of_handles, EMFILE)) return -1;
    return ::accept4(fd, address, size, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
int connect(int fd, const sockaddr* address, socklen_t size) {
    return ::connect(fd, address, size);
}
ssize_t recv(int fd, void* into, std::size_t size) {
    if (transfer_fails()) return -1;
    return ::recv(fd, into, allowed(size), MSG_DONTWAIT);
}
ssize_t peek(int fd, void* into, std::size_t size) {
    if (fails(&test::SocketFaultRates::interrupted, EINTR)) return -1;
    return ::recv(fd, into, size, MSG_DONTWAIT | MSG_PEEK);
}
ssize_t send(int fd, const void* from, std::size_t size) {
    if (transfer_fails() || fails(&test::SocketFaultRates::out_of_buffers, ENOBUFS)) return -1;
    return ::send(fd, from, allowed(size), MSG_DONTWAIT | MSG_NOSIGNAL);
}
int shutdown(int fd, int how) {
    return ::shutdown(fd, how);
}
int close(int fd) {
    return ::close(fd);
}
int unacknowledged(int fd) {
    int size = 0;
    return ::ioctl(fd, SIOCOUTQ, &size) == 0 ? size : -1;
}
int setsockopt(int fd, int level, int name, const void* value, socklen_t size) {
    return ::setsockopt(fd, level, name, value, size);
}
int getsockopt(int fd, int level, int name, void* value, socklen_t* size) {
    return ::getsockopt(fd, level, name, value, size);
}

}  // namespace socket_calls

}  // namespace device_streams
