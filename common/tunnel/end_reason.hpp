#pragma once

#include "common/tunnel/relay.hpp"

#include <string>
#include <string_view>

namespace device_streams {

/// What logs call one side of a relay.
struct RelaySide {
    std::string_view party;  ///< who ends a stream in order, as "device"
    std::string_view leg;    ///< what fails, as "device leg"
};

/// Why a stream ended, for the one log line at its end: "closed by the device"; "this program is stopping"; or a code,
/// what failed and how, and what to do next, as in "DS-502 device leg: lost, nothing was heard for 30 s. Connect ...".
std::string end_reason(const RelayResult& result, const RelaySide& left, const RelaySide& right);

}  // namespace device_streams
