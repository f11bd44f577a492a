#pragma once

#include "common/net/byte_stream.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace device_streams::ws {

using MaskingKey = std::array<std::byte, 4>;

/// XORs `bytes` with the key, starting at position `offset` of the payload (RFC 6455 section 5.3). Any alignment.
void apply_mask(WritableBytes bytes, const MaskingKey& key, std::uint64_t offset);
/// An unpredictable key (RFC 6455 section 5.3), from the system's generator by way of a block per thread.
MaskingKey fresh_masking_key();

}  // namespace device_streams::ws
