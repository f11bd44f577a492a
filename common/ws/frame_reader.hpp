#pragma once

#include "common/base/clock.hpp"
#include "common/ws/close_code.hpp"
#include "common/ws/frame.hpp"

#include <optional>

namespace device_streams::ws {

/// Takes a WebSocket's incoming bytes apart, in place and piece by piece as they come: no message and no frame need be
/// whole. Knows no I/O; holds a partial header and a control payload at most.
///
/// What it meets is told in the order of the bytes: payload first, then the end of the direction, then a Close or a
/// violation; nothing behind a Close or a violation is looked at.
class FrameReader {
 public:
    /// `half_close`: an empty binary message ends the direction. Without it, 64 empty messages in a row do
    /// that come within 5 s.
    /// `takes_text`: text is taken for bytes; else it is a violation.
    FrameReader(Role role, bool half_close, bool takes_text = true)
        : role_(role), half_close_(half_close), takes_text_(takes_text) {}

    /// Replaces the raw `bytes`, heard `now`, by the payload that is in them, at their front; returns its size.
    std::size_t decode(WritableBytes bytes, Clock::time_point now);

    /// How many of the next bytes are payload for certain: decode() has nothing to move in them.
    std::uint64_t payload_ahead() const { return in_frame_ && !is_control(frame_.opcode) ? frame_.length - done_ : 0; }

    /// The newest Ping since the last call.
    std::optional<ControlPayload> take_ping();
    /// The peer ended its direction: no more payload comes.
    bool finished() const { return finished_; }
    /// A Close came.
    const std::optional<ClosePayload>& closed() const { return closed_; }
    /// The peer broke the protocol.
    const std::optional<StreamError>& failure() const { return failure_; }

 private:
    std::size_t decode_payload(WritableBytes bytes, std::byte* to);
    std::size_t collect_header(ReadableBytes bytes);
    std::size_t collect_control(ReadableBytes bytes);
    bool ends_row(Clock::time_point now);
    void begin_frame(const FrameHeader& header);
    void end_frame(Clock::time_point now);
    void end_data_frame(Clock::time_point now);
    void end_control_frame();
    void note_empty_message(bool unfragmented, Clock::time_point now);
    bool over() const { return closed_ || failure_; }

    Role role_;
    bool half_close_;
    bool takes_text_;
    std::array<std::byte, longest_header> header_bytes_{};
    std::size_t header_size_ = 0;  // of a header that is not whole yet
    bool in_frame_ = false;
    FrameHeader frame_;
    std::uint64_t done_ = 0;   // payload bytes of the frame seen so far
    bool in_message_ = false;  // between the first and the last frame of a message
    bool message_has_data_ = false;
    int empty_messages_ = 0;  // in a row
    Clock::time_point row_began_{};
    ControlPayload control_;
    std::optional<ControlPayload> ping_;
    bool finished_ = false;
    std::optional<ClosePayload> closed_;
    std::optional<StreamError> failure_;
};

}  // namespace device_streams::ws
