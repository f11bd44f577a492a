#pragma once

#include <cstdint>
#include <string>

namespace device_streams {

/// What tells two contents of a file apart without reading it.
struct FileStamp {
    bool exists = false;
    std::uint64_t device = 0, inode = 0, size = 0;
    std::int64_t written = 0, changed = 0;  ///< Unix nanoseconds of the last write, and of the last change of any kind

    bool operator==(const FileStamp&) const = default;
};

/// Of the file that `path` leads to: symbolic links, also of folders on the way, are followed, so swapping one counts.
FileStamp stamp_of(const std::string& path);

}  // namespace device_streams
