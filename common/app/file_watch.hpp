#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

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

/// Finds out which files were replaced or written to since they were read. It has no clock: whoever holds it asks every
/// few seconds.
class FileWatch {
 public:
    using Look = std::function<FileStamp(const std::string&)>;
    using Stamps = std::map<std::string, FileStamp>;

    /// `look` takes the place of the file system in tests.
    explicit FileWatch(Look look = stamp_of) : look_(std::move(look)) {}

    /// How `files` are now. Look before they are read, and know() the stamps when what was read is in use.
    Stamps look(const std::vector<std::string>& files) const;
    /// From now on these files are watched, for changes since the stamps.
    void know(Stamps stamps);
    /// The known files that differ in `stamps`, and those that are not known.
    std::vector<std::string> differing(const Stamps& stamps) const;
    /// The files that have changed and stayed as they are since the last call: one that is being written is left alone.
    std::vector<std::string> settled_changes();

 private:
    Look look_;
    Stamps known_, last_;
};

}  // namespace device_streams
