#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace device_streams {

/// A file that lines are added to, for records that others read and rotate away. Never waits for a reader: a FIFO or a
/// terminal that takes nothing is a failure. Not for I/O threads: a disk may take its time.
class AppendFile {
 public:
    AppendFile() = default;
    AppendFile(const AppendFile&) = delete;
    AppendFile& operator=(const AppendFile&) = delete;
    ~AppendFile() { close(); }

    /// Leaves what was open. Makes the file, of mode 0640 (less what the umask takes), when it is missing. Throws
    /// std::system_error.
    void open(const std::string& path);
    /// The same for what only its owner may read: of mode 0600, and never through a symbolic link.
    void open_private(const std::string& path);
    /// Whether the path still leads to the file that is open; false once that was renamed or removed.
    bool is_at(const std::string& path) const;
    /// A line with its line feed, in one piece: what a full disk cut off is ended before the next. Throws
    /// std::system_error.
    void append(std::string_view line);
    void close() noexcept;
    /// Bytes in it; 0 for what is no regular file.
    std::uint64_t size() const;
    bool is_open() const { return fd_ >= 0; }

 private:
    void open(const std::string& path, int flags, unsigned mode);
    int fd_ = -1;
    bool within_line_ = false;
};

/// Renames `path` to `path`.1, that to `path`.2 and so on, `kept` of them; what was the last is gone. Throws
/// std::system_error.
void shift_files(const std::string& path, unsigned kept);

}  // namespace device_streams
