#include "common/app/file_watch.hpp"

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

FileWatch::Stamps FileWatch::look(const std::vector<std::string>& files) const {
    Stamps stamps;
    for (const auto& file : files) stamps[file] = look_(file);
    return stamps;
}

void FileWatch::know(Stamps stamps) {
    known_ = last_ = std::move(stamps);
}

std::vector<std::string> FileWatch::differing(const Stamps& stamps) const {
    std::vector<std::string> files;
    for (const auto& [file, stamp] : stamps) {
        const auto known = known_.find(file);
        if (known == known_.end() || known->second != stamp) files.push_back(file);
    }
    return files;
}

std::vector<std::string> FileWatch::settled_changes() {
    Stamps now;
    for (const auto& [file, stamp] : known_) now[file] = look_(file);
    const bool settled = now == last_;
    last_ = std::move(now);
    return settled ? differing(last_) : std::vector<std::string>();
}

}  // namespace device_streams
