#pragma once

#include "common/base/clock.hpp"
#include "common/net/socket.hpp"
#include "common/tls/tls_context.hpp"

#include <memory>
#include <string>
#include <vector>

namespace device_streams {

class Ciphertext;
class OpensslSession;
class RecordLayer;

/// TLS over a raw connection, mostly a socket. OpenSSL makes the handshake; then our record plane takes over where it
/// can: at a server at once, at a client with the first data, behind the session tickets.
///
/// Memory is bounded against a peer that floods and does not read. What the socket does not take of a write_all waits
/// in the writer's own bytes, which are spent by then; the left-over buffer holds one try_write and 4 KiB of TLS's own
/// replies, beyond which reading stops.
class TlsStream final : public Transport {
 public:
    /// `server_name` is what the certificate must be for (clients only; empty for servers).
    TlsStream(Socket socket, std::shared_ptr<const TlsContext> context, const std::string& server_name = {});
    TlsStream(std::unique_ptr<RawConnection> connection, std::shared_ptr<const TlsContext> context,
              const std::string& server_name = {});
    ~TlsStream() override;

    /// Servers, before the handshake: asks the client for a certificate. Whatever chain comes within the limits of
    /// client_chain.hpp is admitted by the handshake: who it belongs to is checked by the caller.
    void request_client_certificate();
    /// First of all operations; bounded by the caller's timeout. Clients: throws Failure(hub_untrusted,
    /// clock_behind, certificate_expired or hub_tls_failed) with the reason; servers: Failure(peer_tls_failed).
    asio::awaitable<void> handshake();
    bool resumed() const;

    std::optional<std::size_t> try_read(WritableBytes into) override;
    asio::awaitable<void> wait_readable() override;
    asio::awaitable<void> write_all(OutBytes out) override;
    bool try_write(ReadableBytes bytes) override;
    /// For TLS inside this one: takes all bytes or, while the raw connection is full, none (0). Throws StreamError.
    std::size_t try_send(ReadableBytes bytes);
    void give_up_after(std::chrono::steady_clock::duration silence) override { connection_->give_up_after(silence); }
    void give_up() noexcept override { connection_->give_up(); }
    std::optional<ClientCertificate> take_client_certificate() override;
    std::optional<ChannelBinding> channel_binding() const override;
    /// Flushes; TLS itself is not used for half-close.
    asio::awaitable<void> finish() override;
    bool half_close() const override { return false; }
    bool ended() const override { return ended_; }
    LossMonitor watch(const asio::any_io_executor& strand, OnLost on_lost) override;
    std::size_t undelivered() override { return pending_output() + connection_->undelivered(); }
    /// `clean`: close_notify, FIN, and reading until the peer's end. Else: as abort().
    asio::awaitable<void> close(CloseReason close_reason) override;
    void abort(CloseReason reason) noexcept override;

    const std::string& peer() const { return connection_->peer(); }
    /// For logs: version, and who protects the records.
    std::string description() const;
    /// OpenSSL has handed over.
    bool on_record_plane() const { return openssl_ == nullptr; }
    /// Ciphertext that waits for the socket, in bytes.
    std::size_t pending_output() const { return tail_.size() + leftover_.size() - leftover_sent_; }

 private:
    Ciphertext& scratch() const;
    asio::awaitable<void> flush();
    asio::awaitable<void> shut_down();
    void throw_handshake_failure();
    void hand_over() noexcept;
    void encrypt(ReadableBytes bytes, WritableBytes room = {});
    void send_scratch(WritableBytes room = {});
    void send_leftover();
    void send_tail();
    void end_write() noexcept;
    void fail(std::exception_ptr failure) noexcept;
    std::size_t send_now(ReadableBytes bytes);
    bool has_leftover() const { return !tail_.empty() || !leftover_.empty(); }

    std::unique_ptr<RawConnection> connection_;
    std::shared_ptr<const TlsContext> context_;  // until OpenSSL has handed over
    std::unique_ptr<RecordLayer> records_;
    OpensslSession* openssl_;          // records_, until then
    WritableBytes tail_;               // ciphertext the socket did not take yet, in the bytes of the writer
    std::vector<std::byte> leftover_;  // the same behind it, in memory of our own
    std::size_t leftover_sent_ = 0;    // of leftover_, from its front
    std::size_t replies_ = 0;          // bytes that reading added since the left-over was last empty
    bool writing_ = false;             // inside write_all: the writer flushes, not the reader
    bool reply_refused_ = false;       // reading goes on only after a flush
    bool dry_ = false;                 // the last read found the socket empty
    bool turn_over_ = false;           // it stopped for the sake of others
    bool ended_ = false;
    std::exception_ptr failure_;  // met where it could not be thrown; every later operation throws it
};

}  // namespace device_streams
