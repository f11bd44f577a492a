#pragma once

#include "common/base/error.hpp"
#include "common/net/client_certificate.hpp"
#include "common/net/loss_monitor.hpp"

#include <asio/awaitable.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace device_streams {

/// How a stream, or one of its legs, came to its end.
enum class CloseReason {
    clean,               ///< both ends meant it: FIN, or WebSocket Close 1000 or without code
    reset,               ///< a TCP connection was reset (RST)
    lost,                ///< a leg vanished: no Close, dead network, peer gone (Close 1011)
    stopping,            ///< a program in between stops (Close 1001)
    protocol_violation,  ///< a peer broke the protocol (Close 1002)
    refused,             ///< policy or quota (Close 1008)
    too_big,             ///< a message beyond the limit (Close 1009)
    time_up,             ///< a time limit of the stream passed on this side
    cancelled,           ///< cut on this side: shutdown, revocation
};
std::string_view to_string(CloseReason close_reason);
/// The code that logs and exit codes have for it.
Errc errc_of(CloseReason close_reason);

/// Thrown by stream operations when the leg cannot go on. `what()` is the cause alone, never payload.
class StreamError : public std::system_error {
 public:
    StreamError(CloseReason close_reason, const std::string& cause);
    CloseReason close_reason() const { return close_reason_; }
    const char* what() const noexcept override { return cause_.what(); }

 private:
    CloseReason close_reason_;
    std::runtime_error cause_;  // a string whose copies cannot fail
};

/// Throws what a failed call on a socket or pipe means for its leg; `error` is of asio::error's category, or
/// mtu_black_hole.
[[noreturn]] void throw_stream_error(const std::error_code& error);

using ReadableBytes = std::span<const std::byte>;
using WritableBytes = std::span<std::byte>;

/// Bytes on their way out. A layer may overwrite them (masking) and put its header into the `headroom` bytes that lie
/// directly in front of them.
struct OutBytes {
    WritableBytes bytes;
    std::size_t headroom = 0;
};

/// Headroom that saves every layer a copy: the longest WebSocket header is 14 bytes.
inline constexpr std::size_t wanted_headroom = 16;

/// The seam of the house: a two-way stream of bytes (TCP, TLS, WebSocket, or memory in tests).
///
/// One reader and one writer at a time, on one strand. Operations end early with operation_aborted when their coroutine
/// is cancelled; the stream is then only good for abort(), but after a wait_readable it is as it was. Failures are
/// StreamError.
class ByteStream {
 public:
    virtual ~ByteStream() = default;

    /// Reads what is there without waiting. nullopt: nothing now; 0: the peer ended its direction (or the stream, see
    /// ended()). `into` must not be empty.
    virtual std::optional<std::size_t> try_read(WritableBytes into) = 0;
    /// Returns when try_read may have something; also early, so call it in a loop.
    virtual asio::awaitable<void> wait_readable() = 0;
    /// Reads at least one byte; 0 means what it means for try_read.
    asio::awaitable<std::size_t> read_some(WritableBytes into);

    /// Returns when the layer below has taken all bytes; `out` must live until then and holds garbage afterwards.
    virtual asio::awaitable<void> write_all(OutBytes out) = 0;
    /// Takes all of a short message (at most 256 bytes) at once, or nothing: true when it was taken. Never waits; what
    /// the socket does not accept now is sent by the next write_all or wait_readable. Not while a write_all is under
    /// way.
    virtual bool try_write(ReadableBytes /*bytes*/) { return false; }
    /// Ends the outgoing direction; the other goes on. Where half_close() is false it only flushes.
    virtual asio::awaitable<void> finish() = 0;
    /// True when one direction can end alone.
    virtual bool half_close() const = 0;
    /// True when the peer has ended both directions.
    virtual bool ended() const = 0;

    /// Watches the leg beside its reader and writer: `on_lost` is told, on `strand`, once it is lost; perhaps at
    /// once. What had come by then can still be read, and behind it every read fails, as after a write that has failed.
    /// A peer that has left in order, which can be sent nothing more, is told of as CloseReason::clean; what it had
    /// sent ends as its direction does.
    virtual LossMonitor watch(const asio::any_io_executor& strand, OnLost on_lost) = 0;
    /// For the reader, behind the end of the peer's direction: takes what a protocol still says there. Throws
    /// StreamError once the peer has ended the whole stream, whether well or not. Returns only when the peer has left
    /// in order where no protocol tells that (pipes).
    virtual asio::awaitable<void> drain_until_closed();

    /// Says goodbye as `close_reason` demands and waits for the peer's; bounded by the caller's timeout. Throws
    /// StreamError when a clean goodbye is answered by another one; a leg that is gone is no error. Call it once, with
    /// no other operation under way. It loses nothing that was written, unless it is given up while undelivered().
    virtual asio::awaitable<void> close(CloseReason close_reason) = 0;
    /// Bytes that were written and are still on their way to a peer that has not been found dead; more than 0 also
    /// while it works through what it got. It shrinks while the peer takes some.
    virtual std::size_t undelivered() = 0;
    /// Ends the stream at once, telling the peer `reason` if that needs no waiting. Pending operations fail. A `lost`
    /// peer may still hear a reset.
    virtual void abort(CloseReason reason) noexcept = 0;
};

using ChannelBinding = std::array<unsigned char, 32>;

/// A stream that can carry a protocol with control messages of its own. A cancelled write_all of at most 64 KiB took
/// all of its bytes or none, so that a last message may still follow it.
class Transport : public ByteStream {
 public:
    /// How long the peer may leave everything unanswered before its watch, or the next operation, finds it lost.
    /// Nothing happens where there is no network.
    virtual void give_up_after(std::chrono::steady_clock::duration /*silence*/) {}
    /// The peer is dead: what has come from it can still be read, then every operation throws StreamError(lost); waits
    /// that are under way end.
    virtual void give_up() noexcept = 0;
    /// What the client has shown of itself, for servers over TLS. It is given once, as it may be 10 KiB.
    virtual std::optional<ClientCertificate> take_client_certificate() { return std::nullopt; }
    /// 32 bytes that none but the two ends of this very connection know (RFC 5705, as RFC 9266 uses it). nullopt where
    /// there is no TLS, or one that cannot promise it.
    virtual std::optional<ChannelBinding> channel_binding() const { return std::nullopt; }
};

/// Writes bytes that the caller must keep; for heads and small messages, as it copies.
asio::awaitable<void> write_copy(ByteStream& stream, ReadableBytes bytes);
asio::awaitable<void> write_text(ByteStream& stream, std::string text);

}  // namespace device_streams
