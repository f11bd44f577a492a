#pragma once

#include "common/base/clock.hpp"
#include "common/base/stream_limits.hpp"
#include "common/net/byte_stream.hpp"
#include "common/ws/close_code.hpp"
#include "common/ws/control_slot.hpp"
#include "common/ws/frame.hpp"
#include "common/ws/frame_reader.hpp"
#include "common/ws/kept_bytes.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace device_streams::ws {

/// How a leg stays alive while nothing is to be said, and when its silence means that it is dead.
struct KeepAlive {
    Liveness liveness = {};
    /// The peer pings as well (`pings` was negotiated), so the leg is lost when nothing is heard although we listen.
    /// Other peers may be silent for good reason: one that is held up while it passes on our data answers no Ping.
    bool peer_pings = false;
};

struct WsOptions {
    Role role = Role::client;
    /// Longest message sent: 32 KiB towards foreign peers, 65,528 where `big-frames` was negotiated.
    std::size_t message_limit = 32 * 1024;
    /// `half-close` was negotiated: an empty binary message ends one direction.
    bool half_close = false;
    /// The close code for an end that comes from stopping: 1001, or 1012 for a peer that is to come back.
    std::uint16_t stopping_code = 1001;
    /// Text is taken for bytes; else it is a violation, as it must be where MQTT is spoken (MQTT 3.1.1 section 6).
    bool takes_text = true;
    /// Outlives the stream. Without one, empty messages count however slowly they come.
    Clock* clock = nullptr;
    /// Takes effect while the leg is watched; without it, or without a clock, the stream sends no Ping and judges no
    /// silence.
    std::optional<KeepAlive> keep_alive = {};
};

/// A WebSocket (RFC 6455) as a stream of bytes: data are binary messages whose boundaries mean nothing. Frames are
/// unmasked and joined in place in the caller's buffer, text is taken for bytes, and messages may have any length.
/// Pings are answered from a slot that holds the newest one; control frames go between two data frames and never wait
/// for them; a control frame that the transport cannot take now is offered again at the next read, write or wait.
///
/// ParseContext: 0 with ended() after a clean Close (1000 or without code); StreamError for any other Close, for an end
/// without one, and for a peer that breaks the protocol (it is told 1002). A Close is answered at once. In a plain
/// stream 64 empty messages in a row that come within 5 s end the reading side (0 without ended()). Whatever follows
/// the end of the reading side is for drain_until_closed().
///
/// Writing: after a clean Close of the peer, bytes are dropped, as it reads no more; after any other, StreamError.
class WsStream final : public ByteStream {
 public:
    /// `early_bytes`: what came behind the HTTP head.
    WsStream(std::unique_ptr<Transport> transport, WsOptions options, std::vector<std::byte> early_bytes = {});

    std::optional<std::size_t> try_read(WritableBytes into) override;
    asio::awaitable<void> wait_readable() override;
    asio::awaitable<void> write_all(OutBytes out) override;
    bool try_write(ReadableBytes bytes) override;
    asio::awaitable<void> finish() override;
    bool half_close() const override { return options_.half_close; }
    bool ended() const override { return ended_; }
    /// True once a Close of the peer was read, with whatever code.
    bool closed_by_peer() const { return reader_.closed().has_value(); }
    /// Also keeps the leg alive, as WsOptions::keep_alive says.
    LossMonitor watch(const asio::any_io_executor& strand, OnLost on_lost) override;
    /// In a plain stream what comes is dropped, at most ten times a second.
    asio::awaitable<void> drain_until_closed() override;
    /// For a leg that is not to be read yet: answers what the protocol asks up to the first payload, which
    /// the next reads get. Never returns, and may be cancelled; throws StreamError once the peer has ended the whole
    /// stream, whether well or not, with no payload before.
    asio::awaitable<void> park();
    /// Sends Close with the code of `close_reason`, unless one was sent, waits for the peer's, closes the transport. A
    /// leg that is gone is no error here.
    asio::awaitable<void> close(CloseReason close_reason) override;
    /// Besides the bytes in the connection: a peer that pings, and has not answered our Close, still works through what
    /// it got.
    std::size_t undelivered() override;
    void abort(CloseReason reason) noexcept override;

 private:
    struct Watching;
    static constexpr const char* no_close = "the connection ended without a WebSocket Close";
    // A stream that was reset says so by its Close; a connection that is reset under it was lost.
    static StreamError as_lost(const StreamError& failure);
    static asio::awaitable<void> or_lost(asio::awaitable<void> step);
    std::size_t readable_at_once(std::size_t room) const;
    std::optional<std::size_t> told_end();
    std::optional<std::size_t> read_raw(WritableBytes into);
    std::size_t decode(WritableBytes raw);
    void drop_input();
    asio::awaitable<void> await_close();
    Clock::time_point keep_alive();
    void ping();
    Clock::time_point now() const;
    bool over() const;
    asio::awaitable<void> wait_for_input();
    void flush_slot();
    bool may_write();
    FrameHeader data_header(std::size_t length) const;
    asio::awaitable<void> write_frame(OutBytes frame);
    asio::awaitable<void> write_copied(const FrameHeader& header, WritableBytes payload);
    ControlPayload close_for(CloseReason close_reason) const;
    asio::awaitable<void> exchange_closes(CloseReason close_reason);
    void throw_unless_agreed() const;
    static StreamError closed_error(const ClosePayload& reason);
    void throw_if_gone();

    std::unique_ptr<Transport> transport_;
    WsOptions options_;
    KeptBytes early_bytes_;
    KeptBytes parked_;  // payload that came while the stream was held
    FrameReader reader_;
    ControlSlot slot_;
    bool ended_ = false;
    bool end_told_ = false;  // try_read returned the end of the direction
    bool transport_ended_ = false;
    std::optional<StreamError> transport_failure_;
    std::optional<StreamError> silence_;  // for which the connection was given up
    bool finish_sent_ = false;
    bool writing_ = false;       // the transport is inside write_all
    bool cut_in_frame_ = false;  // a write was cancelled with half a frame sent
    bool listening_ = false;     // somebody waits for input, and there is none
    bool yield_due_ = false;
    Clock::time_point last_heard_{};
    Clock::time_point last_sent_{};
};

}  // namespace device_streams::ws
