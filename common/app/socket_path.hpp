#pragma once

#include "common/app/private_files.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>

namespace device_streams {

/// The path of a Unix socket that passes from a process to its successor without a gap. One process at a time keeps
/// the path. Once that has yielded it, another one may put a socket of its own there, and the older one, which goes on
/// until its end with the clients that it has, then leaves the path alone.
class SocketPath {
 public:
    /// Keeps `path`. Throws Failure: listen_failed when another process keeps it, or when something other than a socket
    /// is there; state_unusable when the lock beside it cannot be had.
    explicit SocketPath(std::filesystem::path path);
    SocketPath(const SocketPath&) = delete;
    SocketPath& operator=(const SocketPath&) = delete;
    ~SocketPath() { leave(); }

    /// A path of no other use in the same folder, where the socket is to be bound first.
    const std::filesystem::path& birthplace() const { return birthplace_; }
    /// Puts the socket that was bound there in place of what is at the path. Throws Failure(listen_failed).
    void take();
    /// From now on a successor may take the path.
    void yield() { kept_.reset(); }
    /// Removes the socket, unless a successor's is there. Before the socket is closed.
    void leave() noexcept;

 private:
    bool is_ours(const std::filesystem::path& path) const noexcept;

    const std::filesystem::path path_;
    const std::filesystem::path birthplace_;
    std::optional<FileLock> kept_;
    std::uint64_t device_ = 0, inode_ = 0;
};

}  // namespace device_streams
