#include "common/app/append_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace device_streams {

namespace {

[[noreturn]] void fail(int error) {
    throw std::system_error(error, std::generic_category());
}

}  // namespace

void AppendFile::open(const std::string& path) {
    open(path, 0, 0640);
}

void AppendFile::open_private(const std::string& path) {
    open(path, O_NOFOLLOW, 0600);
}

void AppendFile::open(const std::string& path, int flags, unsigned mode) {
    close();
    fd_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags, mode);
    if (fd_ < 0) fail(errno);
}

bool AppendFile::is_at(const std::string& path) const {
    struct stat open_file {
    }, named{};
    return ::fstat(fd_, &open_file) == 0 && ::lstat(path.c_str(), &named) == 0 && open_file.st_dev == named.st_dev &&
           open_file.st_ino == named.st_ino;
}

void AppendFile::append(std::string_view line) {
    if (within_line_) {
        if (::write(fd_, "\n", 1) != 1) fail(errno);
        within_line_ = false;
    }
    while (!line.empty()) {
        const auto written = ::write(fd_, line.data(), line.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail(errno);
        line.remove_prefix(static_cast<std::size_t>(written));
        within_line_ = !line.empty();
    }
}

std::uint64_t AppendFile::size() const {
    struct stat status {};
    if (::fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) return 0;
    return static_cast<std::uint64_t>(status.st_size);
}

void AppendFile::close() noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
    within_line_ = false;
}

void shift_files(const std::string& path, unsigned kept) {
    const auto name = [&](unsigned number) { return number == 0 ? path : path + "." + std::to_string(number); };
    for (auto number = kept; number > 0; --number)
        if (::rename(name(number - 1).c_str(), name(number).c_str()) != 0 && errno != ENOENT) fail(errno);
}

}  // namespace device_streams
