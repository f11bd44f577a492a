#pragma once

#include "common/app/file_stamp.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace device_streams {

/// Finds out which files were replaced or written to since they were read. It has no clock: its owner asks every few
/// seconds.
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
