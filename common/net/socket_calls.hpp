#pragma once

#include <cstddef>
#include <sys/socket.h>
#include <sys/types.h>

/// Every call that touches a socket goes through here, so that fault tests can link their own versions. Semantics and
/// errno are those of the POSIX call of the same name; descriptors are made non-blocking and close-on-exec.
namespace device_streams::socket_calls {

int socket(int domain, int type);
int bind(int fd, const sockaddr* address, socklen_t size);
int listen(int fd, int backlog);
int accept(int fd, sockaddr* address, socklen_t* size);
int connect(int fd, const sockaddr* address, socklen_t size);
ssize_t recv(int fd, void* into, std::size_t size);
/// recv that leaves the bytes where they are (MSG_PEEK).
ssize_t peek(int fd, void* into, std::size_t size);
/// Never raises SIGPIPE.
ssize_t send(int fd, const void* from, std::size_t size);
int shutdown(int fd, int how);
int close(int fd);
/// Bytes that were sent and not yet acknowledged by the peer's kernel (SIOCOUTQ); negative when that is not known.
int unacknowledged(int fd);
int setsockopt(int fd, int level, int name, const void* value, socklen_t size);
int getsockopt(int fd, int level, int name, void* value, socklen_t* size);

}  // namespace device_streams::socket_calls
