#pragma once

#include "common/ws/frame.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace device_streams::ws {

/// The payload of a control frame, longest_control bytes at most. Takes memory only while there is one, as a WebSocket
/// has place for several and hardly ever needs it.
struct ControlPayload {
    std::vector<std::byte> kept;

    ReadableBytes bytes() const { return kept; }
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
