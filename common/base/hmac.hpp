#pragma once

#include "common/base/secret.hpp"

#include <string>
#include <string_view>

namespace device_streams {

/// 32 bytes. `key` is raw, not base64, and not empty: anyone could sign with an empty key, so that throws
/// Failure(internal).
std::string hmac_sha256(const Secret& key, std::string_view message);

/// In time that depends on the lengths only.
bool equal_in_constant_time(std::string_view left, std::string_view right);

}  // namespace device_streams
