#include "common/tls/tls_handover.hpp"
#include "tests/fuzz/record_reading.hpp"

#include <openssl/ssl.h>

#include <memory>

using namespace device_streams;

namespace {

using test::Outcome;
using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Connection = std::unique_ptr<SSL, decltype(&SSL_free)>;

// What OpenSSL 3.0 does otherwise than we:
constexpr test::Dialect openssl{
    .canceled_in_a_row = 4,
    .canceled_are_empty = false,
    .empties_end_with_data_only = false,
    .judges_first_byte = false,
    .takes_alerts_inside = true,
    .answers_keys_first = true,
    .reads_tickets = true,
    .limits_padding = false,
    .judges_short_header = false,
    .wrong_version = 70,
    .wrong_length = 47,
};

// A key shared before, as certificates would take most of the time.
SSL_SESSION* shared_session(SSL* connection) {
    const auto* const name = SSL_CIPHER_get_name(sk_SSL_CIPHER_value(SSL_get_ciphers(connection), 0));
    static const auto make = [](SSL* of, unsigned id) {
        const unsigned char code[] = {0x13, static_cast<unsigned char>(id)};
        auto* const session = SSL_SESSION_new();
        static constexpr unsigned char key[32] = {1, 2, 3};
        SSL_SESSION_set1_master_key(session, key, sizeof key);
        SSL_SESSION_set_cipher(session, SSL_CIPHER_find(of, code));
        SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION);
        SSL_SESSION_set_timeout(session, 1'000'000'000);
        return session;
    };
    static SSL_SESSION* const sessions[] = {make(connection, 1), make(connection, 2), make(connection, 3)};
    const std::string_view suite = name;
    auto* const session = sessions[suite.find("CHACHA") != suite.npos    ? 2
                                   : suite.find("256_GCM") != suite.npos ? 1
                                                                         : 0];
    SSL_SESSION_up_ref(session);
    return session;
}

SSL_CTX* make_context(const SSL_METHOD* method) {
    auto* const context = SSL_CTX_new(method);
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set1_groups_list(context, "X25519");
    SSL_CTX_set_psk_find_session_callback(context, [](SSL* of, const unsigned char*, std::size_t, SSL_SESSION** found) {
        *found = shared_session(of);
        return 1;
    });
    SSL_CTX_set_psk_use_session_callback(
        context, [](SSL* of, const EVP_MD*, const unsigned char** id, std::size_t* size, SSL_SESSION** used) {
            static constexpr unsigned char name[] = "fuzz";
            *id = name;
            *size = sizeof name;
            *used = shared_session(of);
            return 1;
        });
    tell_secrets(context);
    return context;
}

Connection connect(bool is_server, AeadSuite suite) {
    static const Context server(make_context(TLS_server_method()), SSL_CTX_free);
    static const Context client(make_context(TLS_client_method()), SSL_CTX_free);
    static constexpr const char* names[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                            "TLS_CHACHA20_POLY1305_SHA256"};
    Connection made(SSL_new((is_server ? server : client).get()), SSL_free);
    SSL_set_ciphersuites(made.get(), names[static_cast<std::size_t>(suite)]);
    if (is_server)
        SSL_set_accept_state(made.get());
    else
        SSL_set_connect_state(made.get());
    return made;
}

// One end of a connection in OpenSSL, behind its handshake with another.
class OpensslReader {
 public:
    OpensslReader(bool is_server, AeadSuite suite) : connection_(connect(is_server, suite)) {
        const auto peer = connect(!is_server, suite);
        collect_secrets(connection_.get(), secrets_);
        BIO* const to_peer = BIO_new(BIO_s_mem());
        BIO_up_ref(incoming_);
        BIO_up_ref(to_peer);
        SSL_set_bio(connection_.get(), incoming_, to_peer);
        SSL_set_bio(peer.get(), to_peer, incoming_);
        const auto shake = [](const Connection& end) { return SSL_do_handshake(end.get()) == 1; };
        for (int i = 0; i < 3; ++i) shake(is_server ? peer : connection_), shake(is_server ? connection_ : peer);
        test::require(shake(peer) && shake(connection_), "no handshake");
        secret_ = is_server ? secrets_.client() : secrets_.server();
        SSL_set_app_data(connection_.get(), this);
        SSL_set_info_callback(connection_.get(), [](const SSL* of, int where, int alert) {
            auto& self = *static_cast<OpensslReader*>(SSL_get_app_data(of));
            if (where == SSL_CB_READ_ALERT) self.heard_ = alert & 0xff;
            if (where == SSL_CB_WRITE_ALERT) self.said_ = alert & 0xff;
        });
        SSL_set_msg_callback(
            connection_.get(), [](int writes, int, int type, const void* text, std::size_t size, SSL* of, void*) {
                const bool renews = writes == 1 && type == 22 && size > 0 && *static_cast<const char*>(text) == 24;
                if (renews) static_cast<OpensslReader*>(SSL_get_app_data(of))->outcome_.wants_keys = true;
            });
    }

    ReadableBytes secret() const { return secret_; }

    Outcome read(ReadableBytes wire, test::Sizes pieces, test::Sizes rooms) {
        for (bool open = true; open && !wire.empty();) {
            const auto piece = wire.first(std::min(pieces.next(), wire.size()));
            wire = wire.subspan(piece.size());
            BIO_write(incoming_, piece.data(), static_cast<int>(piece.size()));
            while (open && read_once(rooms.next())) open = outcome_.end == Outcome::End::open;
        }
        if (SSL_get_key_update_type(connection_.get()) != SSL_KEY_UPDATE_NONE) outcome_.wants_keys = true;
        return std::move(outcome_);
    }

 private:
    // False: it waits for more.
    bool read_once(std::size_t room) {
        if (room_.size() < room) room_.resize(room);
        const int size = SSL_read(connection_.get(), room_.data(), static_cast<int>(room));
        if (size > 0) {
            outcome_.text.insert(outcome_.text.end(), room_.begin(), room_.begin() + size);
            return true;
        }
        if (SSL_get_error(connection_.get(), size) == SSL_ERROR_WANT_READ) return false;
        // Not by the error, which OpenSSL 3.0 gets wrong for a close_notify behind user_canceled.
        if (said_ >= 0)
            end(Outcome::End::refused, said_);
        else
            end(heard_ == 0 ? Outcome::End::closed : Outcome::End::peer_alert, heard_);
        return true;
    }

    void end(Outcome::End how, int alert) {
        outcome_.end = how;
        outcome_.alert = alert;
    }

    Connection connection_;
    BIO* incoming_ = BIO_new(BIO_s_mem());
    TrafficSecrets secrets_;
    ReadableBytes secret_;
    int heard_ = -1, said_ = -1;
    test::Bytes room_;
    Outcome outcome_;
};

}  // namespace

// Input: role and suite, sizes of the pieces and of the rooms; then the script of a peer. OpenSSL and our reader get
// the same records behind the same handshake.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3) return 0;
    const bool is_server = (data[0] & 1) != 0;
    const auto suite = static_cast<AeadSuite>((data[0] >> 1) % 3);
    OpensslReader theirs(is_server, suite);
    const auto says = test::ScriptedPeer(TrafficKeys(suite, theirs.secret(), 0)).run({data + 3, size - 3});
    RecordReader ours(TrafficKeys(suite, theirs.secret(), 0), is_server);
    test::require_same("our reader", test::RecordReading(ours, says.wire, data[1], data[2]).read(),
                       test::RecordReference(says, is_server, {}).read());
    test::require_same("OpenSSL", theirs.read(says.wire, {data[1], says.wire.size()}, {data[2], says.wire.size() + 1}),
                       test::RecordReference(says, is_server, openssl).read());
    return 0;
}
