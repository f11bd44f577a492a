#pragma once

#include <cstddef>

/// What a program asks of its process once, at start.
namespace device_streams {

/// Raises RLIMIT_NOFILE to the hard limit; returns the limit now in force.
std::size_t raise_descriptor_limit();

/// No core dumps and no reading of this process's memory by others of the same user: it holds keys.
void forbid_core_dumps();

/// Writing to a closed socket or pipe is an error, not a signal.
void ignore_broken_pipes();

}  // namespace device_streams
