#include "common/tls/openssl_session.hpp"

#include "common/tls/certificate.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace device_streams {

namespace {

// As every call to OpenSSL demands. Clearing what is empty costs more than looking.
void clear_errors() {
    if (ERR_peek_error() != 0) ERR_clear_error();
}

}  // namespace

// The BIO between OpenSSL and the raw connection: reading is try_recv, writing collects ciphertext. It brings no more
// than it is asked for.
struct SessionBio {
    static const BIO_METHOD* method() {
        static BIO_METHOD* const made = [] {
            BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "raw connection");
            BIO_meth_set_read_ex(m, read);
            BIO_meth_set_write_ex(m, write);
            BIO_meth_set_ctrl(m, [](BIO*, int command, long, void*) -> long { return command == BIO_CTRL_FLUSH; });
            return m;
        }();
        return made;
    }

    static int read(BIO* bio, char* into, std::size_t size, std::size_t* done) {
        auto& session = *static_cast<OpensslSession*>(BIO_get_data(bio));
        auto& call = session.call_;
        BIO_clear_retry_flags(bio);
        *done = 0;
        try {
            const auto room = std::as_writable_bytes(std::span(into, size));
            std::optional<std::size_t> received;
            if (!call.dry) received = call.from->try_recv(room);
            if (!received) BIO_set_retry_read(bio);
            *done = received.value_or(0);
            call.dry = !received || (*done > 0 && *done < size);  // then nobody need ask again during this call
            if (session.shaken_) session.counted_.in.add(room.first(*done));
        } catch (...) {
            call.failure = std::current_exception();
        }
        return *done > 0 ? 1 : 0;
    }

    static int write(BIO* bio, const char* from, std::size_t size, std::size_t* done) {
        auto& session = *static_cast<OpensslSession*>(BIO_get_data(bio));
        auto& call = session.call_;
        BIO_clear_retry_flags(bio);
        *done = 0;
        if (call.out->size() + size > call.most_output) {
            call.reply_refused = true;
            BIO_set_retry_write(bio);
            return 0;
        }
        try {
            const auto bytes = std::as_bytes(std::span(from, size));
            call.out->append(bytes);
            if (session.shaken_) session.counted_.out.add(bytes);
        } catch (...) {
            call.failure = std::current_exception();
            return 0;
        }
        *done = size;
        return 1;
    }
};

OpensslSession::OpensslSession(ssl_st* connection, bool is_server, bool may_hand_over)
    : ssl_(connection), is_server_(is_server), may_hand_over_(may_hand_over) {
    BIO* const bio = BIO_new(SessionBio::method());
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_, bio, bio);
    if (!may_hand_over) return;
    SSL_set_read_ahead(ssl_, 0);  // what it reads ahead cannot be got out of it
    collect_secrets(ssl_, secrets_);
}

OpensslSession::~OpensslSession() {
    // OpenSSL would forget the session of a connection that broke off; a stream's ending says nothing about it.
    SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(ssl_);
}

OpensslSession::Step OpensslSession::shake_hands(RawConnection& connection, Ciphertext& out) {
    clear_errors();
    call_ = {&connection, &out};
    const int result = SSL_do_handshake(ssl_);
    if (result == 1) {
        end_handshake();
        return Step::done;
    }
    const int error = SSL_get_error(ssl_, result);
    if (!call_.failure && error == SSL_ERROR_WANT_READ) return Step::wants_input;
    if (!call_.failure && error == SSL_ERROR_WANT_WRITE) return Step::wants_output;
    failure_text_ = describe_error(result);
    return Step::failed;
}

void OpensslSession::end_handshake() {
    shaken_ = true;
    if (!may_hand_over_) return;
    // OpenSSL would send the ticket by itself, uncounted.
    if (is_server_ && SSL_version(ssl_) == TLS1_3_VERSION && SSL_new_session_ticket(ssl_) == 1) SSL_do_handshake(ssl_);
    if (is_server_ || judge_handover(ssl_, secrets_, counted_).when == Handover::never) prepare_successor();
}

// Clients stay with OpenSSL until the first data, in front of which the tickets come.
bool OpensslSession::prepare_successor() {
    if (!may_hand_over_) return false;
    const auto verdict = judge_handover(ssl_, secrets_, counted_);
    if (verdict.when == Handover::now) successor_ = make_record_plane(ssl_, is_server_, secrets_, counted_);
    if (verdict.when == Handover::never) SSL_set_read_ahead(ssl_, 1);
    kept_for_ = verdict.why;
    may_hand_over_ = verdict.when == Handover::later;
    return successor_ != nullptr;
}

RecordLayer::Read OpensslSession::read(RawConnection& from, WritableBytes into, Ciphertext& out,
                                       std::size_t reply_room) {
    Read done;
    call_ = {&from, &out, out.size() + reply_room};
    int error = SSL_ERROR_NONE;
    while (done.size < into.size() && error == SSL_ERROR_NONE && !done.has_successor) {
        clear_errors();
        const int size = SSL_read(ssl_, into.data() + done.size, static_cast<int>(into.size() - done.size));
        if (size <= 0) {
            error = SSL_get_error(ssl_, size);
            if (error == SSL_ERROR_SSL && !call_.failure)
                call_.failure = std::make_exception_ptr(
                    StreamError(CloseReason::protocol_violation, "TLS: " + describe_error(size)));
            continue;
        }
        done.size += static_cast<std::size_t>(size);
        if (call_.dry && SSL_has_pending(ssl_) == 0) error = SSL_ERROR_WANT_READ;  // what SSL_read would find out
        try {
            done.has_successor = prepare_successor();
        } catch (...) {
            call_.failure = std::current_exception();
            break;
        }
    }
    done.dry = error == SSL_ERROR_WANT_READ;
    done.reply_refused = call_.reply_refused;
    done.failure = call_.failure;
    done.ended =
        !done.failure && error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE;
    return done;
}

void OpensslSession::seal(ReadableBytes plain, Ciphertext& out) {
    call_ = {nullptr, &out};
    while (!plain.empty()) {
        clear_errors();
        const int size = SSL_write(ssl_, plain.data(), static_cast<int>(plain.size()));
        if (size <= 0) throw StreamError(CloseReason::lost, "TLS: " + describe_error(size));
        plain = plain.subspan(static_cast<std::size_t>(size));
    }
}

void OpensslSession::say_goodbye(Ciphertext& out) {
    clear_errors();
    call_ = {nullptr, &out};
    SSL_shutdown(ssl_);
}

std::string OpensslSession::description() const {
    const std::string plain = std::string(SSL_get_version(ssl_)) + ", OpenSSL";
    return kept_for_ == nullptr ? plain : plain + ": " + kept_for_;
}

bool OpensslSession::resumed() const {
    return SSL_session_reused(ssl_) == 1;
}

std::optional<ClientCertificate> OpensslSession::take_client_certificate() {
    return is_server_ ? client_certificate_of(ssl_) : std::nullopt;
}

std::optional<ChannelBinding> OpensslSession::channel_binding() const {
    return export_channel_binding(ssl_);
}

std::string OpensslSession::describe_error(int result) const {
    if (call_.failure) {
        try {
            std::rethrow_exception(call_.failure);
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

}  // namespace device_streams
