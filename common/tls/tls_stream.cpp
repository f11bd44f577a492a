#include "common/tls/tls_stream.hpp"

#include "common/async/join.hpp"
#include "common/base/error.hpp"
#include "common/tls/client_chain.hpp"

#include <asio/this_coro.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>

namespace device_streams {

namespace {

// Room for one write_all's records; a longer one goes out in several sends.
constexpr std::size_t plaintext_per_send = 64 * 1024;
// What reading may add to the left-over (key update replies, alerts) before it has to wait.
constexpr std::size_t reply_limit = 4 * 1024;
// A left-over buffer that grew is given back once it is empty: idle connections stay small.
constexpr std::size_t kept_capacity = 1024;

// As every call to OpenSSL demands. Clearing what is empty costs more than looking.
void clear_errors() {
    if (ERR_peek_error() != 0) ERR_clear_error();
}

asio::awaitable<void> nothing() {
    co_return;
}

}  // namespace

// Ciphertext on its way from SSL_write to send. Shared by all connections of a thread: always empty between calls. What
// TLS inside TLS has there is on its way while the outer one encrypts it.
std::vector<std::byte>& TlsStream::scratch() const {
    thread_local std::vector<std::byte> outer, inner;
    return connection_->is_tls() ? inner : outer;
}

// The BIO between OpenSSL and the raw connection: reading is try_recv, writing collects in the scratch.
struct TlsBio {
    static const BIO_METHOD* method() {
        static BIO_METHOD* const made = [] {
            BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "carrier");
            BIO_meth_set_read_ex(m, read);
            BIO_meth_set_write_ex(m, write);
            BIO_meth_set_ctrl(m, [](BIO*, int command, long, void*) -> long { return command == BIO_CTRL_FLUSH; });
            return m;
        }();
        return made;
    }

    static int read(BIO* bio, char* into, std::size_t size, std::size_t* done) {
        auto& stream = *static_cast<TlsStream*>(BIO_get_data(bio));
        BIO_clear_retry_flags(bio);
        *done = 0;
        try {
            std::optional<std::size_t> received;
            if (!stream.dry_) received = stream.connection_->try_recv(std::as_writable_bytes(std::span(into, size)));
            if (!received) BIO_set_retry_read(bio);
            *done = received.value_or(0);
            stream.dry_ = !received || (*done > 0 && *done < size);  // then nobody need ask again during this read
        } catch (...) {
            stream.failure_ = std::current_exception();
        }
        return *done > 0 ? 1 : 0;
    }

    static int write(BIO* bio, const char* from, std::size_t size, std::size_t* done) {
        auto& stream = *static_cast<TlsStream*>(BIO_get_data(bio));
        BIO_clear_retry_flags(bio);
        if (stream.reading_ && stream.replies_ + size > reply_limit) {
            stream.reply_refused_ = true;
            BIO_set_retry_write(bio);
            *done = 0;
            return 0;
        }
        if (stream.reading_) stream.replies_ += size;
        const auto bytes = std::as_bytes(std::span(from, size));
        auto& collected = stream.scratch();
        collected.insert(collected.end(), bytes.begin(), bytes.end());
        *done = size;
        return 1;
    }
};

TlsStream::TlsStream(Socket socket, std::shared_ptr<const TlsContext> context, const std::string& server_name)
    : TlsStream(std::make_unique<Socket>(std::move(socket)), std::move(context), server_name) {
}

TlsStream::TlsStream(std::unique_ptr<RawConnection> connection, std::shared_ptr<const TlsContext> context,
                     const std::string& server_name)
    : connection_(std::move(connection)), context_(std::move(context)), ssl_(context_->make_connection(server_name)) {
    BIO* bio = BIO_new(TlsBio::method());
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_, bio, bio);
}

TlsStream::~TlsStream() {
    // OpenSSL would forget the session of a connection that broke off; a stream's ending says nothing about it.
    SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(ssl_);
}

void TlsStream::request_client_certificate() {
    request_client_chain(ssl_);
}

bool TlsStream::resumed() const {
    return SSL_session_reused(ssl_) == 1;
}

std::optional<ClientCertificate> TlsStream::client_certificate() const {
    return context_->is_server() ? client_certificate_of(ssl_) : std::nullopt;
}

std::optional<ChannelBinding> TlsStream::channel_binding() const {
    // TLS 1.2 without extended master secret lets a man in the middle have the same bytes on both sides (RFC 7627).
    if (SSL_version(ssl_) < TLS1_3_VERSION && SSL_get_extms_support(ssl_) != 1) return std::nullopt;
    constexpr std::string_view label = "EXPORTER-Channel-Binding";
    ChannelBinding binding;
    const int made = SSL_export_keying_material(ssl_, binding.data(), binding.size(), label.data(), label.size(),
                                                nullptr, 0, /*use_context=*/1);
    return made == 1 ? std::optional(binding) : std::nullopt;
}

std::string TlsStream::describe_error(int result) const {
    if (failure_) {
        try {
            std::rethrow_exception(failure_);
        } catch (const std::exception& cause) {
            return cause.what();
        }
    }
    const auto code = ERR_peek_last_error();
    const char* reason = ERR_reason_error_string(code);
    if (reason != nullptr) return reason;
    return SSL_get_error(ssl_, result) == SSL_ERROR_ZERO_RETURN || code == 0 ? "the peer closed the connection"
                                                                             : "unknown reason";
}

asio::awaitable<void> TlsStream::handshake() {
    const auto failed = context_->is_server() ? Errc::peer_tls_failed : Errc::hub_tls_failed;
    for (;;) {
        clear_errors();
        dry_ = false;
        const int result = SSL_do_handshake(ssl_);
        const int error = SSL_get_error(ssl_, result);
        const auto cause = result == 1 ? std::string() : describe_error(result);
        send_scratch();  // an alert goes out before the failure is thrown
        if (result == 1) break;
        if (!context_->is_server() && SSL_get_verify_result(ssl_) != X509_V_OK) throw verification_failure(ssl_);
        if (const auto refusal = chain_refusal(ssl_); context_->is_server() && !refusal.empty())
            throw Failure(failed, refusal);
        if (failure_ || (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE))
            throw Failure(failed, cause.empty() ? describe_error(result) : cause);
        co_await flush();
        if (error == SSL_ERROR_WANT_READ) co_await connection_->wait_readable();
    }
    dry_ = false;  // what came behind the handshake may be here already
    co_await flush();
}

std::optional<std::size_t> TlsStream::try_read(WritableBytes into) {
    send_leftover();
    if (reply_refused_ && has_leftover()) return std::nullopt;
    reply_refused_ = false;
    dry_ = false;
    std::size_t total = 0;
    int error = SSL_ERROR_NONE;
    std::string cause;
    while (total < into.size() && error == SSL_ERROR_NONE) {
        clear_errors();
        reading_ = true;
        const int size = SSL_read(ssl_, into.data() + total, static_cast<int>(into.size() - total));
        reading_ = false;
        if (size > 0) {
            total += static_cast<std::size_t>(size);
            if (dry_ && SSL_has_pending(ssl_) == 0) error = SSL_ERROR_WANT_READ;  // what SSL_read would find out
        } else {
            error = SSL_get_error(ssl_, size);
            if (error == SSL_ERROR_SSL) cause = describe_error(size);
        }
        if (!scratch().empty()) send_scratch();
    }
    dry_ = error == SSL_ERROR_WANT_READ;
    if (error == SSL_ERROR_SSL && !failure_)
        failure_ = std::make_exception_ptr(StreamError(CloseReason::protocol_violation, "TLS: " + cause));
    if (total > 0) return total;
    if (failure_) std::rethrow_exception(failure_);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return std::nullopt;
    ended_ = true;
    return 0;
}

asio::awaitable<void> TlsStream::wait_readable() {
    if (reply_refused_) return flush();
    if (has_leftover() && !writing_) return first_of(connection_->wait_readable(), flush());
    return dry_ ? connection_->wait_readable() : nothing();
}

// `room` may be the same bytes.
void TlsStream::encrypt(ReadableBytes bytes, WritableBytes room) {
    while (!bytes.empty()) {
        clear_errors();
        const int size = SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
        if (size <= 0) {
            if (!failure_) {
                const auto cause = describe_error(size);
                fail(std::make_exception_ptr(StreamError(CloseReason::lost, "TLS: " + cause)));
            }
            scratch().clear();
            std::rethrow_exception(failure_);
        }
        bytes = bytes.subspan(static_cast<std::size_t>(size));
    }
    send_scratch(room);
    if (failure_) std::rethrow_exception(failure_);
}

asio::awaitable<void> TlsStream::write_all(OutBytes out) {
    struct Guard {
        TlsStream& stream;
        ~Guard() { stream.end_write(); }
    } const guard{*this};
    writing_ = true;
    send_leftover();
    if (has_leftover() || failure_) co_await flush();
    for (auto rest = out.bytes; !rest.empty();) {
        const auto piece = rest.first(std::min(rest.size(), plaintext_per_send));
        rest = rest.subspan(piece.size());
        encrypt(piece, piece);
        if (has_leftover() || connection_->holds_output()) co_await flush();
    }
}

// A write that was cut short leaves its ciphertext behind, so that the next one may follow.
void TlsStream::end_write() noexcept {
    writing_ = false;
    try {
        leftover_.insert(leftover_.begin(), tail_.begin(), tail_.end());
    } catch (...) {
        fail(std::current_exception());
    }
    tail_ = {};
}

// Of a writer: the reader that waits meets it behind what has come.
void TlsStream::fail(std::exception_ptr failure) noexcept {
    failure_ = std::move(failure);
    connection_->give_up();
}

bool TlsStream::try_write(ReadableBytes bytes) {
    try {
        send_leftover();
        if (has_leftover() || connection_->holds_output()) return false;
        encrypt(bytes);
        return true;
    } catch (...) {
        fail(std::current_exception());
        return false;
    }
}

std::size_t TlsStream::try_send(ReadableBytes bytes) {
    send_leftover();
    if (failure_) std::rethrow_exception(failure_);
    if (has_leftover()) return 0;
    encrypt(bytes);
    return bytes.size();
}

asio::awaitable<void> TlsStream::flush() {
    for (;;) {
        send_leftover();
        if (failure_) std::rethrow_exception(failure_);
        if (!has_leftover() && !connection_->holds_output()) co_return;
        co_await connection_->wait_writable();
    }
}

void TlsStream::send_scratch(WritableBytes room) {
    auto& out = scratch();
    auto rest = std::span(out);
    if (!has_leftover()) {
        rest = rest.subspan(send_now(rest));
        const auto kept = std::min(rest.size(), room.size());
        std::ranges::copy(rest.first(kept), room.begin());
        tail_ = room.first(kept);
        rest = rest.subspan(kept);
    }
    try {
        if (!failure_) leftover_.insert(leftover_.end(), rest.begin(), rest.end());
    } catch (...) {
        fail(std::current_exception());  // part of a record is missing now
    }
    out.clear();  // in any case: the thread's next connection would send it
    if (!has_leftover()) replies_ = 0;
}

// A send that fails is kept for later: what the peer sent before it left can still be read.
std::size_t TlsStream::send_now(ReadableBytes bytes) {
    if (failure_ || bytes.empty()) return 0;
    try {
        return connection_->try_send(bytes);
    } catch (...) {
        failure_ = std::current_exception();
        return 0;
    }
}

void TlsStream::send_tail() {
    tail_ = tail_.subspan(send_now(tail_));
    if (failure_) tail_ = {};
}

void TlsStream::send_leftover() {
    send_tail();
    if (!tail_.empty() || leftover_.empty()) return;
    leftover_sent_ += send_now(std::span(leftover_).subspan(leftover_sent_));
    if (leftover_sent_ < leftover_.size() && !failure_) return;
    leftover_.clear();
    if (leftover_.capacity() > kept_capacity) leftover_.shrink_to_fit();
    leftover_sent_ = 0;
    replies_ = 0;
}

asio::awaitable<void> TlsStream::finish() {
    return flush();
}

LossMonitor TlsStream::watch(const asio::any_io_executor& strand, OnLost on_lost) {
    return connection_->watch(strand, std::move(on_lost));
}

asio::awaitable<void> TlsStream::close(CloseReason close_reason) {
    if (close_reason != CloseReason::clean) {
        abort(close_reason);
        co_return;
    }
    const auto watching = connection_->watch(co_await asio::this_coro::executor, ignore_loss);
    co_await shut_down();
    connection_->close();
}

asio::awaitable<void> TlsStream::shut_down() {
    co_await flush();
    ERR_clear_error();
    SSL_shutdown(ssl_);
    send_scratch();
    co_await flush();
    connection_->shutdown_write();
    std::array<std::byte, 4096> dropped;
    while (!ended_ && co_await read_some(dropped) != 0) {
    }
}

// A FIN would wait behind what a lost peer has not acknowledged, and never reach one that is merely not heard; a reset
// goes at once.
void TlsStream::abort(CloseReason reason) noexcept {
    if (reason == CloseReason::lost)
        connection_->reset();
    else
        connection_->close();
}

}  // namespace device_streams
