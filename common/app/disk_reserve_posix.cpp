#include "common/app/disk_reserve.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace device_streams {

namespace {

class OpenFile {
 public:
    OpenFile(const std::string& file, int flags)
        : fd_(::open(file.c_str(), flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600)) {}
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    ~OpenFile() {
        if (fd_ >= 0) ::close(fd_);
    }
    int fd() const { return fd_; }
    std::uint64_t size() const {
        struct stat status {};
        return fd_ >= 0 && ::fstat(fd_, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
    }

 private:
    int fd_;
};

}  // namespace

DiskReserve::DiskReserve(std::string file) : file_(std::move(file)) {
}

bool DiskReserve::give_up_piece() noexcept {
    if (file_.empty()) return false;
    is_whole_ = false;
    const OpenFile file(file_, 0);
    const auto size = file.size();
    return size >= piece && ::ftruncate(file.fd(), static_cast<off_t>(size - piece)) == 0;
}

void DiskReserve::fill() noexcept {
    if (is_whole_ || file_.empty()) return;
    const OpenFile file(file_, O_CREAT);
    for (auto size = file.size() / piece * piece; file.fd() >= 0 && size < whole; size += piece)
        if (::posix_fallocate(file.fd(), static_cast<off_t>(size), static_cast<off_t>(piece)) != 0) return;
    is_whole_ = file.size() >= whole;
}

}  // namespace device_streams
