#include "common/net/socket_calls.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace device_streams::socket_calls {

int socket(int domain, int type) {
    return ::socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}
int bind(int fd, const sockaddr* address, socklen_t size) {
    return ::bind(fd, address, size);
}
int listen(int fd, int backlog) {
    return ::listen(fd, backlog);
}
int accept(int fd, sockaddr* address, socklen_t* size) {
    return ::accept4(fd, address, size, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
int connect(int fd, const sockaddr* address, socklen_t size) {
    return ::connect(fd, address, size);
}
ssize_t recv(int fd, void* into, std::size_t size) {
    return ::recv(fd, into, size, MSG_DONTWAIT);
}
ssize_t peek(int fd, void* into, std::size_t size) {
    return ::recv(fd, into, size, MSG_DONTWAIT | MSG_PEEK);
}
ssize_t send(int fd, const void* from, std::size_t size) {
    return ::send(fd, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
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

}  // namespace device_streams::socket_calls
