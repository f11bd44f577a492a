#include "common/tls/tls_stream.hpp"

#include "common/async/join.hpp"
#include "common/base/error.hpp"
#include "common/tls/client_chain.hpp"
#include "common/tls/openssl_session.hpp"

#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

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

asio::awaitable<void> nothing() {
    co_return;
}

asio::awaitable<void> let_others_run() {
    co_await asio::post(asio::use_awaitable);
}

}  // namespace

// Shared by all connections of a thread: always empty between calls. What TLS inside TLS has there is on its way while
// the outer one encrypts it.
Ciphertext& TlsStream::scratch() const {
    thread_local Ciphertext outer, inner;
    return connection_->is_tls() ? inner : outer;
}

TlsStream::TlsStream(Socket socket, std::shared_ptr<const TlsContext> context, const std::string& server_name)
    : TlsStream(std::make_unique<Socket>(std::move(socket)), std::move(context), server_name) {
}

TlsStream::TlsStream(std::unique_ptr<RawConnection> connection, std::shared_ptr<const TlsContext> context,
                     const std::string& server_name)
    : connection_(std::move(connection)), context_(std::move(context)) {
    auto session = std::make_unique<OpensslSession>(context_->make_connection(server_name), context_->is_server(),
                                                    context_->hands_over());
    openssl_ = session.get();
    records_ = std::move(session);
}

TlsStream::~TlsStream() = default;

void TlsStream::request_client_certificate() {
    request_client_chain(openssl_->handle());
}

bool TlsStream::resumed() const {
    return records_->resumed();
}

std::string TlsStream::description() const {
    return records_->description();
}

std::optional<ClientCertificate> TlsStream::take_client_certificate() {
    return records_->take_client_certificate();
}

std::optional<ChannelBinding> TlsStream::channel_binding() const {
    return records_->channel_binding();
}

asio::awaitable<void> TlsStream::handshake() {
    for (;;) {
        const auto step = openssl_->shake_hands(*connection_, scratch());
        send_scratch();  // an alert goes out before the failure is thrown
        if (failure_ || step == OpensslSession::Step::failed) throw_handshake_failure();
        if (step == OpensslSession::Step::done) break;
        co_await flush();
        if (step == OpensslSession::Step::wants_input) co_await connection_->wait_readable();
    }
    hand_over();
    co_await flush();
}

void TlsStream::throw_handshake_failure() {
    const auto* connection = openssl_->handle();
    if (!context_->is_server() && !is_verified(connection)) throw verification_failure(connection);
    const auto code = context_->is_server() ? Errc::peer_tls_failed : Errc::hub_tls_failed;
    const auto refusal = context_->is_server() ? chain_refusal(connection) : std::string();
    if (!refusal.empty()) throw Failure(code, refusal);
    if (!openssl_->failure().empty()) throw Failure(code, openssl_->failure());
    try {
        std::rethrow_exception(failure_);
    } catch (const std::exception& cause) {
        throw Failure(code, cause.what());
    }
}

// Only once everything is on its way that OpenSSL has said.
void TlsStream::hand_over() noexcept {
    auto successor = records_->successor();
    if (!successor) return;
    records_ = std::move(successor);
    openssl_ = nullptr;
    context_ = nullptr;
}

std::optional<std::size_t> TlsStream::try_read(WritableBytes into) {
    send_leftover();
    if (reply_refused_ && has_leftover()) return std::nullopt;
    std::size_t total = 0;
    RecordLayer::Read read;
    do {
        read =
            records_->read(*connection_, into.subspan(total), scratch(), reply_limit - std::min(replies_, reply_limit));
        total += read.size;
        replies_ += scratch().size();
        if (scratch().size() > 0) send_scratch();
        if (read.has_successor) hand_over();
    } while (read.has_successor && !read.dry && total < into.size());
    dry_ = read.dry;
    turn_over_ = read.turn_over;
    reply_refused_ = read.reply_refused;
    if (!failure_) failure_ = read.failure;
    if (total > 0) return total;
    if (failure_) std::rethrow_exception(failure_);
    if (!read.ended) return std::nullopt;
    ended_ = true;
    return 0;
}

asio::awaitable<void> TlsStream::wait_readable() {
    if (reply_refused_) return flush();
    if (has_leftover() && !writing_) return first_of(connection_->wait_readable(), flush());
    if (turn_over_) return let_others_run();
    return dry_ ? connection_->wait_readable() : nothing();
}

// `room` may be the same bytes.
void TlsStream::encrypt(ReadableBytes bytes, WritableBytes room) {
    try {
        records_->seal(bytes, scratch());
    } catch (...) {
        scratch().clear();  // in any case: the thread's next connection would send it
        if (!failure_) fail(std::current_exception());
        std::rethrow_exception(failure_);
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
    auto rest = out.bytes();
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
    records_->say_goodbye(scratch());
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
