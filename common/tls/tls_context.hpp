#pragma once

#include "common/base/error.hpp"
#include "common/base/secret.hpp"
#include "common/tls/certificate.hpp"
#include "common/tls/ticket_keys.hpp"
#include "common/tls/tls_handover.hpp"

#include <memory>
#include <optional>
#include <string>

struct ssl_ctx_st;
struct ssl_st;

namespace device_streams {

/// Where a certificate and its key are.
struct CertificateFiles {
    std::string certificate;  ///< PEM chain; path
    std::string key;          ///< PEM; path
    Secret passphrase{};      ///< of the key, if it is encrypted
    bool operator==(const CertificateFiles&) const = default;
};

/// The settings shared by the TLS connections of one role: TLS 1.2 or later, AEAD only, no renegotiation, no early
/// data, AES-128-GCM first (ChaCha20 where AES is slow), buffers released when idle. Thread-safe once made; replace the
/// whole object to change certificates (running connections keep theirs).
class TlsContext {
 public:
    /// For clients: verifies the server's chain and name, always. `ca_file` empty: the system's store. Sessions are
    /// cached per server name and resumed. `own` is shown to servers that ask for a certificate. Throws
    /// Failure(certificate_unusable or file_unreadable).
    static std::shared_ptr<TlsContext> client(const std::string& ca_file,
                                              const std::optional<CertificateFiles>& own = std::nullopt,
                                              RecordPlaneMode plane = RecordPlaneMode::automatic);
    /// For servers: PEM chain and key, which must belong together and be free of a passphrase. Clients are asked for no
    /// certificate unless TlsStream::request_client_certificate() says so. Throws as client().
    static std::shared_ptr<TlsContext> server(const std::string& certificate_file, const std::string& key_file,
                                              RecordPlaneMode plane = RecordPlaneMode::automatic);

    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    /// A new connection object of this role; for clients with SNI, name check and a session to resume.
    ssl_st* make_connection(const std::string& server_name) const;
    bool is_server() const { return is_server_; }
    /// To the record plane, once the handshake is over.
    bool hands_over() const { return hands_over_; }
    /// The certificate of this side; nullopt: a client without one.
    std::optional<CertificateFacts> own_certificate() const;

 private:
    TlsContext(ssl_ctx_st* context, bool is_server, RecordPlaneMode plane);
    struct SessionCache;
    ssl_ctx_st* context_;
    bool is_server_, hands_over_;
    std::unique_ptr<SessionCache> sessions_;
    std::unique_ptr<TicketKeys> ticket_keys_;
};

/// A client's connection trusts its server.
bool is_verified(const ssl_st* connection);
/// Why a client's handshake did not verify the server: Failure(hub_untrusted) or, for a certificate that is trusted
/// otherwise, Failure(clock_behind) when it becomes valid later than this machine's clock says it is now, and
/// Failure(certificate_expired).
Failure verification_failure(const ssl_st* connection);

}  // namespace device_streams
