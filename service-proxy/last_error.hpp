#pragma once

#include "common/base/error.hpp"

#include <filesystem>
#include <string_view>

namespace device_streams::service {

/// Where the last error of `--stdio` is kept, whose standard error is nobody's under ssh's ControlPersist and Ansible:
/// device-streams/last-error in $XDG_STATE_HOME or ~/.local/state. Empty for a user without a home.
std::filesystem::path last_error_file();

/// Keeps why a run of `--stdio` to `destination` failed in `file`, as a line of JSON with its time: replaced as a
/// whole, of mode 0600, in a directory of mode 0700 that is made when it is missing. A file that cannot be written is
/// no further fault. Empty `file`: nothing is kept.
void keep_last_error(const std::filesystem::path& file, std::string_view destination, const Failure& failure) noexcept;

}  // namespace device_streams::service
