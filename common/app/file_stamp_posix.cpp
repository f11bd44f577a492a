#include "common/app/file_stamp.hpp"

#include <sys/stat.h>

namespace device_streams {

namespace {
std::int64_t nanoseconds(const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}
}  // namespace

FileStamp stamp_of(const std::string& path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) return {};
    return {.exists = true,
            .device = found.st_dev,
            .inode = found.st_ino,
            .size = static_cast<std::uint64_t>(found.st_size),
            .written = nanoseconds(found.st_mtim),
            .changed = nanoseconds(found.st_ctim)};
}

}  // namespace device_streams
