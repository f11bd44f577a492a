#pragma once

#include "common/net/byte_stream.hpp"
#include "hub/audit/resource_record.hpp"

#include <optional>

namespace device_streams::hub {

/// How the resource log names the end of a stream; nullopt for a clean one. `by_device`: the device leg brought it
/// about.
std::optional<ResultType> result_type_of(CloseReason close_reason, bool by_device);

}  // namespace device_streams::hub
