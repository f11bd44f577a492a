#pragma once

#include "common/base/log.hpp"
#include "common/config/settings.hpp"

#include <memory>
#include <string>

namespace device_streams {

/// Where the lines of `program` go, as its configuration has it: a file, syslog or standard error. The first two are
/// opened by the first line, when the program has become its user; what they do not take goes to standard error, with
/// the reason told once. Never throws.
std::shared_ptr<LogSink> make_log_sink(const LogSettings& settings, const std::string& program);

/// Appends to `path`, which is made with mode 0600 when it is missing, and opened again once it was renamed or removed:
/// who rotates it tells nobody. Never through a symbolic link. Of formats, `automatic` is JSON.
std::shared_ptr<LogSink> make_file_sink(LogFormat format, std::string path);

/// Sends datagrams to the system's log (RFC 3164 as local daemons read it) at `socket`, facility daemon. Never waits: a
/// line that finds its queue full goes to standard error.
std::shared_ptr<LogSink> make_syslog_sink(std::string program, std::string socket = "/dev/log");

}  // namespace device_streams
