#pragma once

#include "common/mqtt/codec.hpp"

#include <cstdint>
#include <span>

namespace device_streams::mqtt {

/// The packet with this first byte and this whole body; the decoder's second half. Throws ProtocolError.
Packet parse_body(std::uint8_t first_byte, std::span<const std::byte> body);

}  // namespace device_streams::mqtt
