#pragma once

#include "common/base/error.hpp"

#include <optional>
#include <string_view>

/// What Azure's hub does and this one does not, so that its clients hear more than that a path is unknown. Pure text.
namespace device_streams::hub {

struct UnservedOperation {
    std::string_view why;        ///< for the caller, without semicolons: readers of the registry's errors stop there
    std::optional<Errc> logged;  ///< a device whose owner must hear of it, as it comes again and again
};
/// nullopt: served, or unknown to Azure as well.
std::optional<UnservedOperation> unserved_operation(std::string_view method, std::string_view decoded_path);

}  // namespace device_streams::hub
