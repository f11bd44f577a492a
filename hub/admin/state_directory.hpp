#pragma once

#include "common/app/private_files.hpp"
#include "common/base/clock.hpp"

#include <asio/awaitable.hpp>

#include <filesystem>

namespace device_streams::hub {

/// Where a hub's state directory keeps what.
struct StateDirectory {
    std::filesystem::path path;

    std::string registry_file() const { return path / "registry.db"; }
    std::string quota_file() const { return path / "quota.json"; }
    std::string admin_socket() const { return path / "admin.sock"; }
    std::string lock_file() const { return path / "lock"; }

    /// nullopt: a hub or a command line has it. Throws Failure(state_unusable).
    std::optional<FileLock> try_lock() const;
    /// The right to open the registry: a hub holds it while it runs, a command line for a moment, so this waits up to
    /// `patience` for it. Throws Failure(state_unusable).
    asio::awaitable<FileLock> lock(Clock::duration patience, Clock& clock) const;
};

}  // namespace device_streams::hub
