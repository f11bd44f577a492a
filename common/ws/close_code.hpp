#pragma once

#include "common/ws/frame.hpp"

#include <cstdint>
#include <optional>

namespace device_streams::ws {

/// The payload of a control frame.
struct ControlPayload {
    std::array<std::byte, longest_control> room{};
    std::size_t size = 0;

    ReadableBytes bytes() const { return ReadableBytes(room).first(size); }
    void assign(ReadableBytes from);
};

/// What a Close payload says; nullopt: no code was given.
struct ClosePayload {
    std::optional<std::uint16_t> code;
};
/// True when it means that all was said: 1000 or no code.
bool is_clean(const ClosePayload& reason);
/// Throws StreamError(protocol_violation) for a payload of one byte, codes that must not be sent, and reasons that are
/// not UTF-8 (RFC 6455 sections 5.5.1 and 7.4).
ClosePayload parse_close(ReadableBytes payload);
ControlPayload make_close(std::optional<std::uint16_t> code, std::string_view reason = {});
/// The Close that says `close_reason`.
ControlPayload make_close(CloseReason close_reason, bool extended);

/// The close code that says `close_reason` (RFC 6455 section 7.4; 4001 for a TCP reset between parties of ours), and
/// back. Codes 1000 and 1005 (none was given) are clean.
std::uint16_t close_code(CloseReason close_reason, bool extended);
CloseReason reason_of_close_code(std::uint16_t code);

}  // namespace device_streams::ws
