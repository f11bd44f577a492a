#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace device_streams {

/// A user of this machine, as the kernel knows it.
using UserId = std::uint32_t;

struct SystemUser {
    UserId id;
    std::uint32_t group;  ///< the user's own
};
/// nullopt: this machine has no user of that name.
std::optional<SystemUser> find_user(const std::string& name);
/// The name of a user, or its number where it has none.
std::string name_of(UserId user);

}  // namespace device_streams
