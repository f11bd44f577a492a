#include "common/base/system_user.hpp"

#include <pwd.h>

namespace device_streams {

std::optional<SystemUser> find_user(const std::string& name) {
    const auto* found = ::getpwnam(name.c_str());
    return found == nullptr ? std::nullopt : std::optional(SystemUser{found->pw_uid, found->pw_gid});
}

}  // namespace device_streams
