#include "common/tls/tls_rehearsal.hpp"

#include "common/tls/memory_connection.hpp"
#include "common/tls/openssl_session.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>

namespace device_streams {

namespace {

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

void expect(bool well, const char* what) {
    if (!well) throw std::runtime_error(what);
}

// One of the two that talk.
class End {
 public:
    End(SSL* connection, bool is_server, bool hands_over, MemoryConnection::Bytes& incoming,
        MemoryConnection::Bytes& outgoing)
        : session_(std::make_unique<OpensslSession>(connection, is_server, hands_over)),
          connection_(incoming),
          outgoing_(outgoing) {}

    bool shake_hands() {
        const auto step = session_->shake_hands(connection_, out_);
        send();
        if (step == OpensslSession::Step::done) take_over();
        return step == OpensslSession::Step::done;
    }
    void say(std::string_view text) {
        records().seal(std::as_bytes(std::span(text)), out_);
        send();
    }
    void hear(std::string_view text) {
        std::array<std::byte, 64> room;
        const auto read = records().read(connection_, room, out_, SIZE_MAX / 2);
        send();
        if (read.has_successor) take_over();
        expect(std::ranges::equal(std::span(room).first(read.size), std::as_bytes(std::span(text))), "wrong data");
    }
    void renew_keys() { expect(SSL_key_update(session_->handle(), SSL_KEY_UPDATE_REQUESTED) == 1, "no new keys"); }
    bool on_plane() const { return plane_ != nullptr; }

 private:
    RecordLayer& records() { return plane_ ? *plane_ : *session_; }
    void take_over() { plane_ = session_->successor(); }
    void send() {
        outgoing_.insert(outgoing_.end(), out_.bytes().begin(), out_.bytes().end());
        out_.clear();
    }

    std::unique_ptr<OpensslSession> session_;
    std::unique_ptr<RecordLayer> plane_;
    MemoryConnection connection_;
    MemoryConnection::Bytes& outgoing_;
    Ciphertext out_;
};

void show_certificate(SSL_CTX* context) {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
    expect(key && certificate, "no key");
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    expect(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0 &&
               SSL_CTX_use_certificate(context, certificate.get()) == 1 &&
               SSL_CTX_use_PrivateKey(context, key.get()) == 1,
           "no certificate");
}

Context make_context(const SSL_METHOD* method, bool hands_over) {
    Context context(SSL_CTX_new(method), SSL_CTX_free);
    expect(context != nullptr, "no context");
    SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
    SSL_CTX_set_num_tickets(context.get(), hands_over ? 0 : 1);
    if (hands_over) tell_secrets(context.get());
    return context;
}

// The one that hands over, and OpenSSL at its other end.
void rehearse(bool as_server) {
    const auto server_context = make_context(TLS_server_method(), as_server);
    const auto client_context = make_context(TLS_client_method(), !as_server);
    show_certificate(server_context.get());
    MemoryConnection::Bytes to_server, to_client;
    SSL* const accepting = SSL_new(server_context.get());
    SSL* const connecting = SSL_new(client_context.get());
    SSL_set_accept_state(accepting);
    SSL_set_connect_state(connecting);
    End server(accepting, true, as_server, to_server, to_client);
    End client(connecting, false, !as_server, to_client, to_server);
    End& ours = as_server ? server : client;
    End& other = as_server ? client : server;
    bool client_done = false, server_done = false;
    for (int i = 0; i < 4 && !(client_done && server_done); ++i) {
        client_done = client_done || client.shake_hands();
        server_done = server_done || server.shake_hands();
    }
    expect(client_done && server_done, "no handshake");
    other.say("first");
    ours.hear("first");
    expect(ours.on_plane() && !other.on_plane(), "no hand-over");
    ours.say("second");
    other.hear("second");
    other.renew_keys();
    other.say("third");
    ours.hear("third");
    ours.say("fourth");
    other.hear("fourth");
}

}  // namespace

std::string rehearse_handover() {
    try {
        rehearse(true);
        rehearse(false);
        return {};
    } catch (const std::exception& failure) {
        return std::string("its rehearsal failed: ") + failure.what();
    }
}

}  // namespace device_streams
