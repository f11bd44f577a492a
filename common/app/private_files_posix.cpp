#include "common/app/private_files.hpp"

#include "common/base/error.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace device_streams {

namespace {

Errc errc_of(int error) {
    if (error == EEXIST) return Errc::already_exists;
    return error == ENOSPC || error == EDQUOT ? Errc::disk_full : Errc::state_unusable;
}

[[noreturn]] void fail(const std::filesystem::path& file, int error) {
    throw Failure(errc_of(error), file.string() + (error == EEXIST ? "" : std::string(": ") + std::strerror(error)));
}

int open_new(const std::filesystem::path& file) {
    const int fd = ::open(file.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) fail(file, errno);
    return fd;
}

bool write_durably(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return ::fsync(fd) == 0;
}

}  // namespace

NewPrivateFile::NewPrivateFile(std::filesystem::path file) : file_(std::move(file)), fd_(open_new(file_)) {
}

NewPrivateFile::~NewPrivateFile() {
    ::close(fd_);
    if (!keep_) ::unlink(file_.c_str());
}

void NewPrivateFile::write(std::string_view text) {
    if (!write_durably(fd_, text)) fail(file_, errno);
    keep_ = true;
}

void write_private_file(const std::filesystem::path& file, std::string_view text) {
    NewPrivateFile(file).write(text);
}

void make_private_directory(const std::filesystem::path& directory) {
    if (::mkdir(directory.c_str(), 0700) == 0) return;
    if (errno != EEXIST) fail(directory, errno);
    std::error_code failed;
    const bool empty = std::filesystem::is_empty(directory, failed);
    if (failed) fail(directory, failed.value());
    if (!empty) fail(directory, EEXIST);
    if (::chmod(directory.c_str(), 0700) != 0) fail(directory, errno);
}

std::optional<FileLock> FileLock::try_acquire(const std::filesystem::path& file) {
    const int fd = ::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) fail(file, errno);
    FileLock lock(fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno != EWOULDBLOCK) fail(file, errno);
    return std::nullopt;
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {
}

FileLock::~FileLock() {
    if (fd_ >= 0) ::close(fd_);
}

}  // namespace device_streams
