#include "common/app/privileges.hpp"

#include "common/base/error.hpp"
#include "common/base/system_user.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace device_streams {

namespace {

[[noreturn]] void fail(const char* key, const std::string& name, const std::string& why) {
    throw Failure(Errc::config_invalid, std::string(key) + ": " + name + " " + why);
}

void check(int result, const RunAs& who) {
    if (result != 0) fail("user", who.user, std::string("cannot be taken on: ") + std::strerror(errno));
}

SystemUser get_user(const std::string& name) {
    const auto found = find_user(name);
    if (!found) fail("user", name, "is no user of this machine");
    return *found;
}

gid_t find_group(const RunAs& who, gid_t own) {
    if (who.group.empty()) return own;
    const auto* found = ::getgrnam(who.group.c_str());
    if (found == nullptr) fail("group", who.group, "is no group of this machine");
    return found->gr_gid;
}

// Of the calling thread; threads that it makes inherit them.
void keep_only_low_ports(const RunAs& who) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> sets{};
    sets[0].permitted = sets[0].effective = 1U << CAP_NET_BIND_SERVICE;
    check(static_cast<int>(::syscall(SYS_capset, &header, sets.data())), who);
}

}  // namespace

void become(const RunAs& who) {
    if (who.user.empty()) return;
    const auto user = get_user(who.user);
    const auto group = find_group(who, user.group);
    if (::geteuid() == user.id) return;
    if (!is_root()) fail("user", who.user, "can be taken on by root only");
    check(::initgroups(who.user.c_str(), group), who);
    check(::setresgid(group, group, group), who);
    // Root stays the saved user, which keeps capabilities permitted until there is a listener.
    check(::setresuid(user.id, user.id, 0), who);
    keep_only_low_ports(who);
    check(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), who);
}

// The kernel drops every capability with the last user id that is 0; glibc does it on all threads.
void keep_no_privileges() {
    uid_t real = 0, effective = 0, saved = 0;
    if (::getresuid(&real, &effective, &saved) != 0 || effective == 0 || saved != 0) return;
    if (::setresuid(effective, effective, effective) != 0)
        throw Failure(Errc::internal, std::string("root's rights cannot be given up: ") + std::strerror(errno));
}

bool is_root() {
    return ::geteuid() == 0;
}

}  // namespace device_streams
