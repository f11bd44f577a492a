#include "common/app/socket_path.hpp"

#include "common/base/error.hpp"

#include <cerrno>
#include <cstring>
#include <random>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace device_streams {

namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& reason) {
    throw Failure(Errc::listen_failed, "unix:" + path.string() + ": " + reason);
}

// Short, as the path of a socket is limited.
std::filesystem::path unused_name_beside(const std::filesystem::path& path) {
    return path.parent_path() / ("~" + std::to_string(std::random_device()() % 10'000'000));
}

}  // namespace

SocketPath::SocketPath(std::filesystem::path path)
    : path_(std::move(path)),
      birthplace_(unused_name_beside(path_)),
      kept_(FileLock::try_acquire(path_.string() + ".lock")) {
    if (!kept_) fail(path_, std::strerror(EADDRINUSE));
    struct stat file {};
    if (::lstat(path_.c_str(), &file) == 0 && !S_ISSOCK(file.st_mode)) fail(path_, "something else is there");
}

void SocketPath::take() {
    struct stat file {};
    if (::lstat(birthplace_.c_str(), &file) != 0 || ::rename(birthplace_.c_str(), path_.c_str()) != 0)
        fail(path_, std::strerror(errno));
    device_ = file.st_dev;
    inode_ = file.st_ino;
}

void SocketPath::leave() noexcept {
    if (is_ours(path_)) {
        // Moved away before it is removed, as a successor may come in between; what was moved then goes back.
        ::rename(path_.c_str(), birthplace_.c_str());
        if (!is_ours(birthplace_)) static_cast<void>(::link(birthplace_.c_str(), path_.c_str()));
        ::unlink(birthplace_.c_str());
    }
    inode_ = 0;  // once the socket is closed, a successor's may get the same
}

bool SocketPath::is_ours(const std::filesystem::path& path) const noexcept {
    struct stat file {};
    return inode_ != 0 && ::lstat(path.c_str(), &file) == 0 && file.st_dev == device_ && file.st_ino == inode_;
}

}  // namespace device_streams
