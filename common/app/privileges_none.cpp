#include "common/app/privileges.hpp"

#include "common/base/error.hpp"

namespace device_streams {

void become(const RunAs& who) {
    if (who != RunAs{}) throw Failure(Errc::config_invalid, "user: on this system a program stays who it is");
}

void keep_no_privileges() {
}

bool is_root() {
    return false;
}

}  // namespace device_streams
