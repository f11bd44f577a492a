#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace device_streams {

/// From the system's source for secrets. Throws Failure(internal) when it gives none.
void fill_randomly(std::span<unsigned char> bytes);
/// As many fresh random bytes in lower-case hex, two digits each.
std::string random_hex(std::size_t bytes);
/// An id that nobody can guess: 32 digits.
std::string random_hex_id();

}  // namespace device_streams
