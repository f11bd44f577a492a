#include "common/net/socket_options.hpp"

#include <cerrno>
#include <limits>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace device_streams::socket_options {

namespace {

void set(SocketHandle handle, int level, int name, int value) {
    ::setsockopt(handle, level, name, &value, sizeof value);
}

template <typename Call>
std::optional<SocketAddress> address_by(Call call, SocketHandle handle) {
    SocketAddress address;
    auto size = static_cast<socklen_t>(address.capacity());
    if (call(handle, address.data(), &size) != 0) return std::nullopt;
    address.resize(size);
    return address;
}

}  // namespace

void send_at_once(SocketHandle handle) {
    set(handle, IPPROTO_TCP, TCP_NODELAY, 1);
}

void probe(SocketHandle handle, int probes) {
    set(handle, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(handle, IPPROTO_TCP, TCP_KEEPCNT, probes);
}

void time_probes(SocketHandle handle, std::chrono::seconds idle, std::chrono::seconds interval) {
    set(handle, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(idle.count()));
    set(handle, IPPROTO_TCP, TCP_KEEPINTVL, static_cast<int>(interval.count()));
}

void limit_segments(SocketHandle handle, std::uint16_t size) {
    set(handle, IPPROTO_TCP, TCP_MAXSEG, size);
}

void reset_on_close(SocketHandle handle, bool yes) {
    const linger how{.l_onoff = yes ? 1 : 0, .l_linger = 0};
    ::setsockopt(handle, SOL_SOCKET, SO_LINGER, &how, sizeof how);
}

void prepare_to_listen(SocketHandle handle, int family) {
    if (family == AF_UNIX) {
        ::fchmod(handle, S_IRUSR | S_IWUSR);
        return;
    }
    set(handle, SOL_SOCKET, SO_REUSEADDR, 1);
    if (family == AF_INET6) set(handle, IPPROTO_IPV6, IPV6_V6ONLY, 0);
}

bool admit(const std::string& path, SocketAccess access) {
    mode_t mode = S_IRUSR | S_IWUSR;
    if (access != SocketAccess::user) mode |= S_IRGRP | S_IWGRP;
    if (access == SocketAccess::everybody) mode |= S_IROTH | S_IWOTH;
    return ::chmod(path.c_str(), mode) == 0;
}

std::error_code take_error(SocketHandle handle) {
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(handle, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    return {error, asio::error::get_system_category()};
}

std::optional<TransportState> transport_state(SocketHandle handle) {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(handle, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
    return TransportState{.in_flight = info.tcpi_unacked > 0,
                          .unanswered_probes = info.tcpi_probes,
                          .large_resent = unacknowledged(handle) >= info.tcpi_snd_mss ? info.tcpi_retransmits : 0,
                          .since_heard = std::chrono::milliseconds(info.tcpi_last_ack_recv),
                          .since_data = std::chrono::milliseconds(info.tcpi_last_data_recv)};
}

std::size_t unacknowledged(SocketHandle handle) {
    int size = 0;
    return ::ioctl(handle, SIOCOUTQ, &size) == 0 && size > 0 ? static_cast<std::size_t>(size) : 0;
}

std::optional<SocketAddress> local_address(SocketHandle handle) {
    return address_by(::getsockname, handle);
}

std::optional<SocketAddress> peer_address(SocketHandle handle) {
    return address_by(::getpeername, handle);
}

std::size_t descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::numeric_limits<std::size_t>::max();
    return static_cast<std::size_t>(limit.rlim_cur);
}

bool is_exhaustion(const std::error_code& error) {
    switch (error.value()) {
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
        case ENOSPC:  // by epoll_ctl(2)
            return true;
        default:
            return false;
    }
}

}  // namespace device_streams::socket_options
