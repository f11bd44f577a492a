#include "hub/identity/authentication.hpp"

#include "common/base/error.hpp"
#include "common/text/ascii.hpp"
#include "common/text/hex.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>

namespace device_streams::hub {

namespace {

Secret make_key() {
    std::array<unsigned char, 32> bytes{};
    std::array<unsigned char, 48> text{};
    if (RAND_priv_bytes(bytes.data(), bytes.size()) != 1)
        throw Failure(Errc::internal, "the system gives no random bytes");
    const int size = EVP_EncodeBlock(text.data(), bytes.data(), bytes.size());
    Secret key(std::string(reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(size)));
    OPENSSL_cleanse(bytes.data(), bytes.size());
    OPENSSL_cleanse(text.data(), text.size());
    return key;
}

std::string normalised(std::string thumbprint) {
    std::erase(thumbprint, ':');
    const bool hex = std::ranges::all_of(thumbprint, is_hex_digit);
    const bool fits = thumbprint.empty() || thumbprint.size() == 40 || thumbprint.size() == 64;
    if (!hex || !fits)
        throw Failure(Errc::usage, "a thumbprint is the SHA-1 (40 hex digits) or SHA-256 (64) of a certificate");
    return upper_case(thumbprint);
}

}  // namespace

KeyPair make_key_pair() {
    return {make_key(), make_key()};
}

Thumbprints normalised(const Thumbprints& thumbprints) {
    Thumbprints clean{normalised(thumbprints.primary), normalised(thumbprints.secondary)};
    if (clean.primary.empty() && clean.secondary.empty()) throw Failure(Errc::usage, "a thumbprint is needed");
    return clean;
}

std::string_view to_string(const Authentication& authentication) {
    constexpr std::array<std::string_view, 3> words{"sas", "selfSigned", "certificateAuthority"};
    return words.at(authentication.index());
}

Credential credential_of(Credential::Kind kind, const Secret& key) {
    std::string digest(32, '\0');
    const auto text = key.reveal();
    if (EVP_Q_digest(nullptr, "SHA256", nullptr, text.data(), text.size(),
                     reinterpret_cast<unsigned char*>(digest.data()), nullptr) != 1)
        throw Failure(Errc::internal, "SHA-256 is not available");
    return {kind, std::move(digest)};
}

bool admits(const Authentication& authentication, const Credential& login) {
    using Kind = Credential::Kind;
    if (login.kind == Kind::none) return true;
    if (const auto* keys = std::get_if<KeyPair>(&authentication))
        return login.kind == Kind::policy_key || login == credential_of(Kind::device_key, keys->primary) ||
               login == credential_of(Kind::device_key, keys->secondary);
    if (const auto* thumbprints = std::get_if<Thumbprints>(&authentication))
        return login.kind == Kind::certificate &&
               (login.id == thumbprints->primary || login.id == thumbprints->secondary);
    return login.kind == Kind::authority;
}

}  // namespace device_streams::hub
