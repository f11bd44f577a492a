#include "common/app/process.hpp"

#include <csignal>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace device_streams {

std::size_t raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    const auto before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

void forbid_core_dumps() {
    static_cast<void>(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
}

void ignore_broken_pipes() {
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
}

}  // namespace device_streams
