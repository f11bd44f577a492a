#pragma once

#include "common/net/byte_stream.hpp"
#include "common/ws/mask.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace device_streams::ws {

enum class Role { client, server };  // clients mask

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };
constexpr bool is_control(Opcode opcode) {
    return static_cast<std::uint8_t>(opcode) >= 8;
}

/// The longest header: 2 bytes, 8 of length, 4 of mask.
inline constexpr std::size_t longest_header = 14;
/// The longest payload of a control frame.
inline constexpr std::size_t longest_control = 125;

/// Throws StreamError(protocol_violation).
[[noreturn]] void refuse_frame(const char* why);

struct FrameHeader {
    Opcode opcode = Opcode::binary;
    bool fin = true;
    std::uint64_t length = 0;
    std::optional<MaskingKey> mask;
};

/// Writes the header (RFC 6455 section 5.2, minimal length form) so that it ends at `end`; returns its size. There must
/// be longest_header bytes in front of `end`.
std::size_t write_header_before(std::byte* end, const FrameHeader& header);
/// Reads a header from the front of `bytes`; nullopt: more bytes needed. `size` receives its length. Throws
/// StreamError(protocol_violation) for reserved bits, unknown opcodes, non-minimal lengths, 64-bit lengths with the top
/// bit set, fragmented or long control frames.
std::optional<FrameHeader> read_header(ReadableBytes bytes, std::size_t& size);

}  // namespace device_streams::ws
