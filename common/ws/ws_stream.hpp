#pragma once

#include "common/net/byte_stream.hpp"
#include "common/ws/frame.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace device_streams::ws {

enum class Role { client, server };  // clients mask

struct WsOptions {
    Role role = Role::client;
    /// Longest message sent: 32 KiB towards foreign peers, 65,528 where `big-frames` was negotiated (design.md 4).
    std::size_t message_limit = 32 * 1024;
    /// `half-close` was negotiated: an empty binary message ends one direction (design.md 5).
    bool half_close = false;
};

/// A WebSocket (RFC 6455) as a stream of bytes: data are binary messages whose boundaries mean nothing (protocol.md
/// 7.4). Frames are unmasked and joined in place in the caller's buffer. Pings are answered from a slot that holds the
/// newest one; control frames are sent between data frames and never wait for them.
///
/// Reading: 0 with ended() after a clean Close (1000 or without code); LegError for any other Close and for an end
/// without one. In a plain stream 64 empty messages in a row with no data end the reading side (0 without ended());
/// the rest is then read and dropped by watch(), at most ten times a second.
class WsStream final : public ByteStream {
 public:
    /// `early_bytes`: what came behind the HTTP head.
    WsStream(std::unique_ptr<Transport> transport, WsOptions options, std::vector<std::byte> early_bytes = {});

    std::optional<std::size_t> try_read(WritableBytes into) override;
    asio::awaitable<void> wait_readable() override;
    asio::awaitable<void> write_all(OutBytes out) override;
    asio::awaitable<void> finish() override;
    bool half_close() const override { return options_.half_close; }
    bool ended() const override { return close_received_; }
    asio::awaitable<void> watch() override;
    /// Sends Close with the code of `ending`, waits for the peer's, closes the transport.
    asio::awaitable<void> close(Ending ending) override;
    void abort(Ending reason) noexcept override;

    /// Queues a Ping if nothing else is in the slot. For keep-alive (protocol.md 7.5).
    void ping();

 private:
    struct Impl;
    WsOptions options_;
    bool close_received_ = false;
    std::unique_ptr<Impl> impl_;

 public:
    ~WsStream() override;
};

/// The close code that says `ending` (RFC 6455 section 7.4, design.md 5), and back.
std::uint16_t close_code(Ending ending, bool extended);
Ending ending_of_close_code(std::uint16_t code);

}  // namespace device_streams::ws
