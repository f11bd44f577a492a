#pragma once

#include "common/base/secret.hpp"

#include <string>
#include <variant>

/// How devices, modules and policies prove who they are.
namespace device_streams::hub {

enum class WhichKey { primary, secondary };
/// Two keys (base64, 32 random bytes each), both valid at any time, so that one can be renewed while the other is in
/// use.
struct KeyPair {
    Secret primary;
    Secret secondary;
    bool operator==(const KeyPair&) const = default;
    Secret& of(WhichKey which) { return which == WhichKey::primary ? primary : secondary; }
    const Secret& of(WhichKey which) const { return which == WhichKey::primary ? primary : secondary; }
};
/// Fresh keys from the system's random source.
KeyPair make_key_pair();

/// A certificate that is known by itself, as self-signed ones are: the hash of its DER, SHA-1 (40 digits) or SHA-256
/// (64) in upper-case hex. Both are valid at any time; one of them may be empty.
struct Thumbprints {
    std::string primary;
    std::string secondary;
    bool operator==(const Thumbprints&) const = default;
};
/// Also takes lower case, and the colons that `openssl x509 -fingerprint` prints. Throws Failure(usage) for what is no
/// thumbprint, and when there is none.
Thumbprints normalised(const Thumbprints& thumbprints);

/// A certificate from a CA that the hub trusts with its devices; its common name is the identity:
/// {device} or {device}/{module}.
struct CertificateAuthority {
    bool operator==(const CertificateAuthority&) const = default;
};

/// What an identity may log in with: tokens signed with its keys ("sas"), or a client certificate ("selfSigned",
/// "certificateAuthority").
using Authentication = std::variant<KeyPair, Thumbprints, CertificateAuthority>;
/// The word for it, as Azure's registry has it.
std::string_view to_string(const Authentication& authentication);

/// What a login rested on, named without giving it away.
struct Credential {
    enum class Kind { none, device_key, policy_key, certificate, authority } kind = Kind::none;
    std::string id;  ///< SHA-256 of the key or of the CA's certificate; the certificate's thumbprint as registered
    bool operator==(const Credential&) const = default;
};
Credential credential_of(Credential::Kind kind, const Secret& key);
/// True when a login that rests on it may stay; true for `none`. That the CA is still trusted is not looked at.
bool admits(const Authentication& authentication, const Credential& login);

}  // namespace device_streams::hub
