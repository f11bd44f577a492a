#include "common/ws/control_slot.hpp"

#include <algorithm>

namespace device_streams::ws {

static_assert(wanted_headroom >= longest_header);

ControlFrame make_control_frame(Opcode opcode, ReadableBytes payload, Role role) {
    ControlFrame frame;
    FrameHeader header{.opcode = opcode, .fin = true, .length = payload.size(), .mask = std::nullopt};
    if (role == Role::client) header.mask = fresh_masking_key();
    const auto body = WritableBytes(frame.room).subspan(wanted_headroom, payload.size());
    std::ranges::copy(payload, body.begin());
    if (header.mask) apply_mask(body, *header.mask, 0);
    const auto header_size = write_header_before(body.data(), header);
    frame.begin = wanted_headroom - header_size;
    frame.size = header_size + payload.size();
    return frame;
}

void ControlSlot::put_pong(const ControlPayload& payload) {
    if (!closing_) pong_ = payload;
}

void ControlSlot::put_ping() {
    if (!closing_) ping_ = true;
}

void ControlSlot::put_close(const ControlPayload& payload) {
    if (!closing_) close_ = payload;
    closing_ = true;
}

void ControlSlot::flush(Transport& transport, Role role) {
    if (pong_ && transport.try_write(make_control_frame(Opcode::pong, pong_->bytes(), role).bytes())) pong_.reset();
    if (ping_ && transport.try_write(make_control_frame(Opcode::ping, {}, role).bytes())) ping_ = false;
    if (close_ && transport.try_write(make_control_frame(Opcode::close, close_->bytes(), role).bytes())) clear();
}

std::optional<ControlFrame> ControlSlot::take_close(Role role) {
    std::optional<ControlFrame> frame;
    if (close_) frame = make_control_frame(Opcode::close, close_->bytes(), role);
    clear();
    return frame;
}

void ControlSlot::clear() {
    pong_.reset();
    close_.reset();
    ping_ = false;
}

}  // namespace device_streams::ws
