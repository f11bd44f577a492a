#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

struct ssl_ctx_st;
struct ssl_st;

namespace device_streams {

/// What a server takes of the certificates that a stranger shows: enough for a device, its CAs and a root.
constexpr std::size_t most_certificates = 5;
constexpr std::size_t longest_chain = 10 * 1024;  ///< bytes of the handshake message
constexpr int most_key_bits = 4096;               ///< of each certificate's key
constexpr int most_exponent_bits = 32;            ///< of each RSA key

/// Of a server's context, once: what request_client_chain() needs.
void admit_client_chains(ssl_ctx_st* context);
/// Of a server's connection, before its handshake: asks the client for certificates, within the limits above. They are
/// counted before OpenSSL reads the first one, as each costs 4 KiB and a quarter of a millisecond there. Any chain
/// within them is admitted by the handshake.
void request_client_chain(ssl_st* connection);

/// Why the handshake refused the client's chain, one clause; empty: it did not.
std::string chain_refusal(const ssl_st* connection);

/// How many certificates there are in a Certificate message (RFC 8446 section 4.4.2, or RFC 5246 section 7.4.6 before
/// TLS 1.3), with its header. nullopt: malformed.
std::optional<std::size_t> count_certificates(std::span<const std::byte> message, bool tls13);

}  // namespace device_streams
