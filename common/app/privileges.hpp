#pragma once

#include <string>

namespace device_streams {

/// The user and group that a program takes on when root starts it.
struct RunAs {
    std::string user;   ///< empty: it keeps its user
    std::string group;  ///< empty: the user's own
    bool operator==(const RunAs&) const = default;
};

/// First step, before files are opened and threads are made: takes on the user, its groups and no others. All that is
/// left of root is the right to listen on ports below 1024. No effect without a user, or when the program runs as that
/// user already. Throws Failure(config_invalid) for a user or group that is unknown, or that it may not become.
void become(const RunAs& who);

/// Second step, once it listens: gives up what is left, for good and on all threads.
void keep_no_privileges();

/// True while it could do whatever root can.
bool is_root();

}  // namespace device_streams
