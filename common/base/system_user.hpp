#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace device_streams {

/// A user of this machine, as the kernel knows it.
using UserId = std::uint32_t;

/// Stands for every user that is not known here, and for nobody else (`nobody`, the kernel's overflowuid).
inline constexpr UserId unmapped_user = 65'534;

struct SystemUser {
    UserId id;
    std::uint32_t group;  ///< the user's own
};
/// nullopt: this machine has no user of that name. May ask a directory, and
/// is for one thread at a time: for the start and for reloads.
std::optional<SystemUser> find_user(const std::string& name);

}  // namespace device_streams
