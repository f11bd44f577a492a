#pragma once

#include "common/base/error.hpp"

#include <optional>
#include <string_view>

/// Why a device refuses a stream, as one of a few codes: it travels to the hub and the service where all are ours
/// (docs/wire-extensions.md), and nothing of the device's own words with it.
namespace device_streams::iothub {

/// Of the answer to a service that announced `reasons`.
inline constexpr std::string_view reason_header = "iothub-streaming-reason";

/// "DS-402", as it is written on the wire; nullopt for anything but the code of a device's reason, DS-401 to DS-405 or
/// DS-902.
std::optional<Errc> parse_refusal_reason(std::string_view text);
/// The same for a reason that is to be sent. nullopt: it is none that a device may give.
std::optional<std::string_view> wire_name(Errc reason);

}  // namespace device_streams::iothub
