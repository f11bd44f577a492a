#pragma once

#include "common/net/socket.hpp"

#include <cerrno>
#include <sys/socket.h>
#include <system_error>
#include <utility>

namespace device_streams::test {

/// Two connected Unix sockets.
inline std::pair<Socket, Socket> make_socket_pair(const asio::any_io_executor& executor) {
    int fds[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        throw std::system_error(errno, std::generic_category(), "socketpair");
    return {Socket(executor, fds[0]), Socket(executor, fds[1])};
}

}  // namespace device_streams::test
