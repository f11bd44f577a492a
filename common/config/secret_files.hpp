#pragma once

#include "common/base/secret.hpp"
#include "common/config/parse_context.hpp"

#include <optional>
#include <string>

/// Files that hold a secret: what editors and shells make of them, and who else can read them.
namespace device_streams {

/// The only line of a file, as it is, which holds `what`; nullopt after a fault. UTF-16 becomes UTF-8.
std::optional<Secret> read_secret_line(const std::string& key, const std::string& path, const std::string& what,
                                       ParseContext& reading);

/// The only connection string of a file, which may stand in quotes and among blank lines and comments (#); nullopt
/// after a fault.
std::optional<Secret> read_connection_string(const std::string& key, const std::string& path, ParseContext& reading);

/// Warns when every user of this machine can read the file, which `key` names. Its group may: keys are often shared
/// that way, as with root:ssl-cert and mode 0640.
void warn_if_others_can_read(const std::string& key, const std::string& path, ParseContext& reading);

}  // namespace device_streams
