#pragma once

#include "common/base/clock.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace device_streams::hub {

/// What `stream-hub init` is told.
struct InitOptions {
    std::filesystem::path directory;  ///< new or empty
    std::string name = "hub";         ///< [A-Za-z0-9-]{1,50}
    std::string host;                 ///< HostName of all connection strings: a host name or an IPv4 address
    std::uint16_t port = 443;
};

/// Makes a working hub in a directory (0700): private CA, server certificate for the host and for localhost, their keys
/// (0600), a state directory with a registry that holds the policy `service`, that policy's connection string in
/// service.cs (0600), and a commented stream-hub.yaml.
/// Throws Failure: usage for a name or host that will not do, already_exists, state_unusable; nothing is left then.
void init_hub(const InitOptions& options, Clock& clock);

/// What was made and what to do next, for a person.
std::string describe_new_hub(const InitOptions& options);

}  // namespace device_streams::hub
