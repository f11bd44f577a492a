#pragma once

#include "common/base/log.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

/// The text of log lines, without a sink: one line each, whatever the values hold.
namespace device_streams {

/// Replaces what could break or forge a line or drive a terminal: control characters, line separators, direction
/// overrides and bytes that are not UTF-8 become \n, \t or \xNN.
std::string escape_control_characters(std::string_view text);

std::string_view to_string(LogLevel level);

/// `message name=value name="two words"`, as people read it; time and level are put in front by the sink.
std::string human_line(std::string_view message, const std::vector<LogField>& fields);
/// `<6>message name=value`: the priority as systemd reads it from standard error (sd-daemon(3)).
std::string journald_line(LogLevel level, std::string_view message, const std::vector<LogField>& fields);
/// One ASCII JSON object with time (UTC, milliseconds), level, message and the fields; numbers stay numbers.
std::string json_line(LogLevel level, std::string_view message, const std::vector<LogField>& fields,
                      std::chrono::system_clock::time_point when);

}  // namespace device_streams
