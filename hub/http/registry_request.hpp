#pragma once

#include "common/http/message.hpp"
#include "common/iothub/stream_request.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// What a request to the identity registry asks for, apart from its body. Pure text.
namespace device_streams::hub {

/// /devices[/], /devices/{id}, /devices/{id}/modules and /devices/{id}/modules/{m}, ids percent-decoded.
struct RegistryPath {
    iothub::Target target;  ///< without a device id: all devices
    bool modules = false;   ///< all modules of the target
    bool is_list() const { return modules || target.device_id.empty(); }
};
/// nullopt for another path, and for ids that no identity can have.
std::optional<RegistryPath> parse_registry_path(std::string_view path);
/// Whether the registry answers for this path, percent-decoded, be it well-formed or not.
bool is_registry_path(std::string_view decoded_path);

/// The etag of If-Match without its quotes and W/; empty for `*`, quoted or not; nullopt without If-Match. A
/// malformed one is an etag that no identity has.
std::optional<std::string> wanted_etag(const http::Headers& headers);

inline constexpr std::size_t longest_list = 1'000;
/// How many identities a list may have: `top` of the query of a request's target, longest_list without one or for a
/// number that is 0 or more than that. nullopt for what is no number.
std::optional<std::size_t> wanted_length(std::string_view request_target);

}  // namespace device_streams::hub
