#pragma once

#include "hub/identity/registry.hpp"

#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

/// Identities as JSON, in the shape that Azure IoT Hub's registry publishes. Pure text, but for fresh keys.
namespace device_streams::hub {

/// A body that describes no identity; what() names the member and says what it must be. It repeats no value.
class BadDescription : public std::runtime_error {
 public:
    using std::runtime_error::runtime_error;
};

/// Reads the body of a request that makes or replaces `target`. Keys are made when it gives none. A device without
/// status is enabled; a module has no status, and keeps the one it has. Members that only the hub can set, and those
/// that are not known, do not count.
IdentityDescription parse_description(std::string_view body, const iothub::Target& target);

/// With its keys or thumbprints.
std::string identity_json(const Identity& identity, bool connected);
/// A list of them; `connected` are those with a link.
std::string identities_json(std::span<const Identity> identities, const std::set<iothub::Target>& connected);

}  // namespace device_streams::hub
