#pragma once

#include "common/ws/close_code.hpp"

namespace device_streams::ws {

/// A control frame ready to be sent.
struct ControlFrame {
    std::array<std::byte, wanted_headroom + longest_control> room{};
    std::size_t begin = wanted_headroom;
    std::size_t size = 0;

    WritableBytes bytes() { return WritableBytes(room).subspan(begin, size); }
};
/// With a fresh mask when `role` is the client's.
ControlFrame make_control_frame(Opcode opcode, ReadableBytes payload, Role role);

/// The control frames that wait for their place between two data frames: the newest Pong, a Ping, one Close. A peer
/// that floods Pings and does not read makes it no bigger.
class ControlSlot {
 public:
    void put_pong(const ControlPayload& payload);
    void put_ping();
    /// The first Close given is the one that is sent; nothing is sent after it.
    void put_close(const ControlPayload& payload);

    bool empty() const { return !pong_ && !ping_ && !close_; }
    /// True once a Close was put, sent or not.
    bool closing() const { return closing_; }
    /// Sends what the transport takes now.
    void flush(Transport& transport, Role role);
    /// Forgets Ping and Pong, and takes the Close out to be sent; nullopt when it was sent before.
    std::optional<ControlFrame> take_close(Role role);
    void clear();

 private:
    std::optional<ControlPayload> pong_;
    std::optional<ControlPayload> close_;
    bool ping_ = false;
    bool closing_ = false;
};

}  // namespace device_streams::ws
