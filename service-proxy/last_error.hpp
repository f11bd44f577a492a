#pragma once

#include "common/base/log.hpp"

#include <filesystem>
#include <memory>

namespace device_streams::service {

/// Where the last error of `--stdio` is kept, whose standard error is nobody's under ssh's ControlPersist and Ansible:
/// device-streams/last-error in $XDG_STATE_HOME or ~/.local/state. Empty for a user without a home.
std::filesystem::path last_error_file();

/// Passes lines on to `sink` and keeps the last warning or error in `file`, as a line of JSON with its time: replaced
/// as a whole, of mode 0600, in a directory of mode 0700 that is made when it is missing. A file that cannot be written
/// is no further fault. Empty `file`: nothing is kept.
std::shared_ptr<LogSink> keep_last_error(std::shared_ptr<LogSink> sink, std::filesystem::path file);

}  // namespace device_streams::service
