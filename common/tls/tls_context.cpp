#include "common/tls/tls_context.hpp"

#include "common/base/error.hpp"
#include "common/text/rfc3339.hpp"
#include "common/tls/client_chain.hpp"

#include <asio/ip/address.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <map>
#include <mutex>
#include <span>

namespace device_streams {

namespace {

bool has_aes_instructions() {
#if defined(__x86_64__) || defined(__i386__)
    return __builtin_cpu_supports("aes");
#elif defined(__aarch64__)
    return (getauxval(AT_HWCAP) & (1 << 3)) != 0;  // HWCAP_AES
#else
    return false;
#endif
}

std::string reason_of_failure() {
    const auto code = ERR_peek_error();  // the first: later ones only say who called whom
    const char* reason = ERR_reason_error_string(code);
    std::string text = reason != nullptr ? reason : "unknown reason";
    ERR_clear_error();
    return text;
}

[[noreturn]] void throw_unusable(const std::string& file) {
    errno = 0;
    if (!std::ifstream(file)) throw Failure(Errc::file_unreadable, file + ": " + std::strerror(errno));
    throw Failure(Errc::certificate_unusable, file + ": " + reason_of_failure());
}

void set_up(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);
    const bool aes = has_aes_instructions();
    SSL_CTX_set_ciphersuites(context,
                             aes ? "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
                                 : "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384");
    SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384");  // no finite fields, and none that is dear to compute
    SSL_CTX_set_cipher_list(context, aes ? "ECDHE+AESGCM+AES128:ECDHE+AESGCM:ECDHE+CHACHA20"
                                         : "ECDHE+CHACHA20:ECDHE+AESGCM+AES128:ECDHE+AESGCM");
}

// OpenSSL would ask for it at the terminal.
struct Passphrase {
    const Secret& text;
    bool asked = false;

    static int give(char* into, int size, int, void* self) {
        auto& passphrase = *static_cast<Passphrase*>(self);
        passphrase.asked = true;
        const auto text = passphrase.text.reveal();
        if (text.empty() || text.size() > static_cast<std::size_t>(size)) return -1;
        return static_cast<int>(text.copy(into, text.size()));
    }
};

void use_key(SSL_CTX* context, const CertificateFiles& files) {
    Passphrase passphrase{files.passphrase};
    SSL_CTX_set_default_passwd_cb(context, Passphrase::give);
    SSL_CTX_set_default_passwd_cb_userdata(context, &passphrase);
    const bool used = SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) == 1;
    SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
    const bool of_another = ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_X509;
    if (!used && !of_another && !passphrase.asked) throw_unusable(files.key);
    if (used && SSL_CTX_check_private_key(context) == 1) return;
    ERR_clear_error();
    if (used || of_another)
        throw Failure(Errc::certificate_unusable, files.key + " is not the key of " + files.certificate);
    throw Failure(Errc::certificate_unusable,
                  files.key + (files.passphrase.empty() ? " is encrypted, and there is no passphrase"
                                                        : " is encrypted with another passphrase"));
}

void use_certificate(SSL_CTX* context, const CertificateFiles& files) {
    if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1) throw_unusable(files.certificate);
    use_key(context, files);
}

bool is_ip_literal(const std::string& name) {
    asio::error_code not_one;
    asio::ip::make_address(name, not_one);
    return !not_one && name.find('%') == std::string::npos;  // OpenSSL checks none with a scope
}

// What a client's connection knows of its server.
struct Server {
    std::string name;
    // Of the certificate that verification failed by, where its dates are what is wrong: Unix seconds.
    std::optional<std::int64_t> becomes_valid = std::nullopt, expired = std::nullopt;
};

void free_server(void*, void* server, CRYPTO_EX_DATA*, int, long, void*) {
    delete static_cast<Server*>(server);
}

int server_index() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_server);
    return index;
}

Server* server_of(const SSL* connection) {
    return static_cast<Server*>(SSL_get_ex_data(connection, server_index()));
}

// OpenSSL forgets a certificate that it does not accept. Those above it were checked before, and its signature too.
int note_wrong_dates(int accepted, X509_STORE_CTX* check) {
    const int error = X509_STORE_CTX_get_error(check);
    if (accepted == 1 || (error != X509_V_ERR_CERT_NOT_YET_VALID && error != X509_V_ERR_CERT_HAS_EXPIRED))
        return accepted;
    const auto* connection =
        static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(check, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto* server = server_of(connection);
    if (server == nullptr) return accepted;
    const auto facts = facts_of(X509_STORE_CTX_get_current_cert(check));
    if (error == X509_V_ERR_CERT_HAS_EXPIRED)
        server->expired = facts.not_after;
    else
        server->becomes_valid = facts.not_before;
    return accepted;
}

std::string date_of(std::int64_t unix_seconds) {
    return format_rfc3339(std::chrono::sys_seconds(std::chrono::seconds(unix_seconds)));
}

}  // namespace

// The newest session per server name, for resumption.
struct TlsContext::SessionCache {
    ~SessionCache() {
        for (auto& [name, session] : sessions) SSL_SESSION_free(session);
    }

    void keep(const std::string& name, SSL_SESSION* session) {
        const std::lock_guard lock(mutex);
        auto& slot = sessions[name];
        SSL_SESSION_free(slot);
        slot = session;
    }

    void offer(const std::string& name, SSL* connection) {
        const std::lock_guard lock(mutex);
        const auto found = sessions.find(name);
        if (found == sessions.end()) return;
        // Nothing is verified again when a session is resumed.
        if (has_expired(SSL_SESSION_get0_peer(found->second))) return forget(found);
        SSL_set_session(connection, found->second);
    }

    static bool has_expired(const X509* certificate) {
        return certificate != nullptr && X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0;
    }

    void forget(std::map<std::string, SSL_SESSION*>::iterator which) {
        SSL_SESSION_free(which->second);
        sessions.erase(which);
    }

    static int on_new_session(SSL* connection, SSL_SESSION* session) {
        auto* cache = static_cast<SessionCache*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(connection)));
        const auto* server = server_of(connection);
        if (cache == nullptr || server == nullptr) return 0;
        cache->keep(server->name, session);
        return 1;
    }

    std::mutex mutex;  // once per connection
    std::map<std::string, SSL_SESSION*> sessions;
};

TlsContext::TlsContext(ssl_ctx_st* context, bool is_server, RecordPlaneMode plane)
    : context_(context),
      is_server_(is_server),
      hands_over_(plane == RecordPlaneMode::automatic && record_plane_works()) {
    set_up(context_);
    if (hands_over_) tell_secrets(context_);
}

TlsContext::~TlsContext() {
    SSL_CTX_set_app_data(context_, nullptr);  // connections that outlive us keep no sessions
    SSL_CTX_free(context_);
}

std::shared_ptr<TlsContext> TlsContext::client(const std::string& ca_file, const std::optional<CertificateFiles>& own,
                                               RecordPlaneMode plane) {
    std::shared_ptr<TlsContext> made(new TlsContext(SSL_CTX_new(TLS_client_method()), false, plane));
    SSL_CTX* context = made->context_;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, note_wrong_dates);
    if (ca_file.empty()) {
        SSL_CTX_set_default_verify_paths(context);
    } else if (SSL_CTX_load_verify_file(context, ca_file.c_str()) != 1) {
        throw_unusable(ca_file);
    }
    if (own) use_certificate(context, *own);
    made->sessions_ = std::make_unique<SessionCache>();
    SSL_CTX_set_app_data(context, made->sessions_.get());
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, SessionCache::on_new_session);
    return made;
}

std::shared_ptr<TlsContext> TlsContext::server(const std::string& certificate_file, const std::string& key_file,
                                               RecordPlaneMode plane) {
    std::shared_ptr<TlsContext> made(new TlsContext(SSL_CTX_new(TLS_server_method()), true, plane));
    SSL_CTX* context = made->context_;
    use_certificate(context, {certificate_file, key_file});
    static constexpr unsigned char session_context[] = "device-streams";
    SSL_CTX_set_session_id_context(context, session_context, sizeof session_context - 1);
    SSL_CTX_set_num_tickets(context, made->hands_over_ ? 0 : 1);  // OpensslSession makes it, to count its records
    admit_client_chains(context);
    keep_issuers_in_tickets(context);
    made->ticket_keys_ = std::make_unique<TicketKeys>();
    made->ticket_keys_->serve(context);
    return made;
}

std::optional<CertificateFacts> TlsContext::own_certificate() const {
    const auto* own = SSL_CTX_get0_certificate(context_);
    return own == nullptr ? std::nullopt : std::optional(facts_of(own));
}

ssl_st* TlsContext::make_connection(const std::string& server_name) const {
    SSL* connection = SSL_new(context_);
    if (connection == nullptr) throw Failure(Errc::internal, "out of memory for TLS");
    if (is_server_) {
        SSL_set_accept_state(connection);
        return connection;
    }
    SSL_set_connect_state(connection);
    if (is_ip_literal(server_name)) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), server_name.c_str());
    } else {
        SSL_set_tlsext_host_name(connection, server_name.c_str());
        SSL_set_hostflags(connection, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
        SSL_set1_host(connection, server_name.c_str());
    }
    SSL_set_ex_data(connection, server_index(), new Server{server_name});
    sessions_->offer(server_name, connection);
    return connection;
}

bool is_verified(const ssl_st* connection) {
    return SSL_get_verify_result(connection) == X509_V_OK;
}

Failure verification_failure(const ssl_st* connection) {
    const auto* server = server_of(connection);
    if (server == nullptr || (!server->becomes_valid && !server->expired))
        return {Errc::hub_untrusted, X509_verify_cert_error_string(SSL_get_verify_result(connection))};
    const auto validity = server->expired ? " expired at " + date_of(*server->expired)
                                          : " is valid from " + date_of(*server->becomes_valid);
    return {
        server->expired ? Errc::certificate_expired : Errc::clock_behind,
        "the certificate of " + server->name + validity + ", and by this clock it is " + date_of(std::time(nullptr))};
}

}  // namespace device_streams
