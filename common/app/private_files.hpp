#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

/// Files that nobody but their owner may read: they are born that way, not changed afterwards.
namespace device_streams {

/// A new file of mode 0600 that goes away with the object unless it was written whole.
class NewPrivateFile {
 public:
    /// Makes the file, empty. Throws Failure: already_exists, disk_full, state_unusable.
    explicit NewPrivateFile(std::filesystem::path file);
    NewPrivateFile(const NewPrivateFile&) = delete;
    NewPrivateFile& operator=(const NewPrivateFile&) = delete;
    ~NewPrivateFile();

    /// Once: writes `text`, makes it durable and keeps the file. Throws Failure(disk_full or state_unusable).
    void write(std::string_view text);

 private:
    std::filesystem::path file_;
    int fd_;
    bool keep_ = false;
};
/// The same in one go.
void write_private_file(const std::filesystem::path& file, std::string_view text);
/// Makes a directory of mode 0700; its parent must exist. One that is there and empty is taken over, mode included.
/// Throws Failure: already_exists (there and not empty), state_unusable.
void make_private_directory(const std::filesystem::path& directory);

/// An advisory lock that other processes see; it ends with the process at the latest. Makes the file when it is
/// missing.
class FileLock {
 public:
    /// nullopt: another process holds it. Throws Failure(state_unusable).
    static std::optional<FileLock> try_acquire(const std::filesystem::path& file);

    FileLock() = default;  ///< holds nothing
    FileLock(FileLock&& other) noexcept;
    FileLock& operator=(FileLock&&) = delete;
    ~FileLock();

 private:
    explicit FileLock(int fd) : fd_(fd) {}
    int fd_ = -1;
};

}  // namespace device_streams
