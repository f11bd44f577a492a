#pragma once

#include <cstddef>

/// What a program asks of its process at its start.
namespace device_streams {

/// Raises the limit of open descriptors as far as it may; returns the limit now in force, 0 when it is not known.
std::size_t raise_descriptor_limit();

/// No core dumps and no reading of this process's memory by others of the same user: it holds keys.
void forbid_core_dumps();

/// Writing to a closed socket or pipe is an error, not a signal.
void ignore_broken_pipes();

}  // namespace device_streams
