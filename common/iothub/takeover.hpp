#pragma once

#include <optional>
#include <string>
#include <string_view>

/// What a hub of ours tells a link that another machine's took the place of (docs/wire-extensions.md, "Renewed links").
namespace device_streams::iothub {

/// "$iothub/streams/takeover/?$by=ADDRESS", or without the pair where the address is not known; nothing of `address` is
/// sent that is no numeric address of IPv4 or IPv6.
std::string takeover_topic(std::string_view address);
/// The address, empty without a valid one; nullopt for every other topic.
std::optional<std::string> parse_takeover_topic(std::string_view topic);

}  // namespace device_streams::iothub
