#include "common/base/system_user.hpp"

#include <pwd.h>

namespace device_streams {

std::optional<SystemUser> find_user(const std::string& name) {
    const auto* found = ::getpwnam(name.c_str());
    return found == nullptr ? std::nullopt : std::optional(SystemUser{found->pw_uid, found->pw_gid});
}

std::string name_of(UserId user) {
    const auto* found = ::getpwuid(user);
    return found == nullptr ? std::to_string(user) : found->pw_name;
}

}  // namespace device_streams
