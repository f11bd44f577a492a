#include "hub/identity/access_policy.hpp"

#include <algorithm>

namespace device_streams::hub {

namespace {

using Reason = Denial::Reason;

// What a token is checked against when there is no true key, so that a stranger cannot find out by the time which
// identities exist.
const KeyPair& nobodys_keys() {
    static const KeyPair keys = make_key_pair();
    return keys;
}

// nullptr: by neither.
const Secret* signing_key(const iothub::SasToken& token, const KeyPair& keys) {
    const bool primary = token.signed_by(keys.primary);
    const bool secondary = token.signed_by(keys.secondary);
    return primary ? &keys.primary : secondary ? &keys.secondary : nullptr;
}

bool in_scope(const iothub::SasToken& token, const HubNames& hub, const std::string& rest) {
    return std::ranges::any_of(hub.names, [&](const std::string& name) { return token.covers(name + rest); });
}

std::string path_of(const iothub::Target& target) {
    return "/devices/" + target.device_id + (target.module_id.empty() ? "" : "/modules/" + target.module_id);
}

CredentialCheck deny(Reason reason, std::string detail = {}, std::int64_t seconds_late = 0) {
    return {.denial = Denial{reason, std::move(detail), seconds_late}};
}

CredentialCheck grant(std::int64_t expiry, Credential login) {
    return {.expiry = expiry, .login = std::move(login)};
}

// The part that is the same for all: signature, scope and time. `keys` null: signed by nobody that we know.
CredentialCheck judge_token(const iothub::SasToken& token, const KeyPair* keys, const HubNames& hub,
                            const std::string& path, std::int64_t now_unix_seconds) {
    const auto* key = signing_key(token, keys ? *keys : nobodys_keys());
    if (!keys || !key) return deny(Reason::wrong_key);
    if (!in_scope(token, hub, path)) return deny(Reason::wrong_scope);
    if (token.expired(now_unix_seconds)) return deny(Reason::expired, {}, now_unix_seconds - token.expiry);
    const auto kind = token.policy.empty() ? Credential::Kind::device_key : Credential::Kind::policy_key;
    return grant(token.expiry, credential_of(kind, *key));
}

CredentialCheck judge_thumbprint(const CertificateFacts& shown, const Thumbprints& known) {
    for (const auto& thumbprint : {known.primary, known.secondary})
        if (!thumbprint.empty() && (thumbprint == shown.sha256 || thumbprint == shown.sha1))
            return grant(shown.not_after, {Credential::Kind::certificate, thumbprint});
    return deny(Reason::unknown_certificate, "its SHA-256 is " + shown.sha256);
}

CredentialCheck judge_chain(const DeviceCertificate& shown, const iothub::Target& target) {
    if (shown.authority.empty()) return deny(Reason::unknown_authority, shown.why_no_authority);
    if (shown.own.common_name != target.to_string()) return deny(Reason::wrong_name);
    return grant(shown.chain_ends, {Credential::Kind::authority, shown.authority});
}

}  // namespace

CredentialCheck judge_device_login(const iothub::Target& target, const Secret& password,
                                   const std::optional<Identity>& identity, const std::optional<Policy>& policy,
                                   const HubNames& hub, std::int64_t now_unix_seconds) {
    const auto token = iothub::parse_sas_token(password.reveal());
    if (!token) return deny(Reason::malformed);
    const bool by_policy = !token->policy.empty();
    const KeyPair* keys = by_policy ? (policy ? &policy->keys : nullptr) : (identity ? identity->keys() : nullptr);
    auto check = judge_token(*token, keys, hub, path_of(target), now_unix_seconds);
    if (by_policy && !policy) return deny(Reason::unknown_policy);
    if (!identity) return deny(Reason::unknown_identity);
    if (!identity->keys()) return deny(Reason::wants_certificate);
    if (!check.granted()) return check;
    if (by_policy && !policy->permissions.device_connect) return deny(Reason::no_permission);
    if (!identity->enabled) return deny(Reason::disabled);
    return check;
}

CredentialCheck judge_device_certificate(const iothub::Target& target, const std::optional<DeviceCertificate>& shown,
                                         const std::optional<Identity>& identity, std::int64_t now_unix_seconds) {
    if (!identity) return deny(Reason::unknown_identity);
    if (identity->keys()) return deny(Reason::wants_token);
    if (!shown) return deny(Reason::wants_certificate);
    if (!identity->enabled) return deny(Reason::disabled);
    if (now_unix_seconds < shown->own.not_before) return deny(Reason::bad_certificate);
    if (now_unix_seconds > shown->own.not_after)
        return deny(Reason::expired_certificate, {}, now_unix_seconds - shown->own.not_after);
    if (!shown->weakness.empty()) return deny(Reason::weak_certificate, shown->weakness);
    const auto* thumbprints = std::get_if<Thumbprints>(&identity->authentication);
    return thumbprints ? judge_thumbprint(shown->own, *thumbprints) : judge_chain(*shown, target);
}

bool still_admits(const PolicyAndIdentity& known, const Credential& login) {
    const auto& [policy, identity] = known;
    if (login.kind == Credential::Kind::policy_key &&
        !(policy && policy->permissions.device_connect && is_key_of(login, *policy)))
        return false;
    return identity && identity->enabled && admits(identity->authentication, login);
}

CredentialCheck judge_service_request(const Secret& authorization, const std::optional<Policy>& policy,
                                      const HubNames& hub, std::int64_t now_unix_seconds, bool Permissions::*needed) {
    const auto token = iothub::parse_sas_token(authorization.reveal());
    if (!token) return deny(Reason::malformed);
    const bool known = policy && !token->policy.empty();
    auto check = judge_token(*token, known ? &policy->keys : nullptr, hub, {}, now_unix_seconds);
    if (!known) return deny(Reason::unknown_policy);
    if (check.granted() && !(policy->permissions.*needed)) return deny(Reason::no_permission);
    return check;
}

std::string named_policy(const Secret& token) {
    const auto parsed = iothub::parse_sas_token(token.reveal());
    return parsed ? parsed->policy : std::string();
}

asio::awaitable<CredentialCheck> check_device_login(Registry& registry, iothub::Target target, Secret password,
                                                    std::optional<DeviceCertificate> shown, HubNames hub,
                                                    std::int64_t now_unix_seconds) {
    const auto known = co_await registry.find_both(named_policy(password), target);
    if (password.empty()) co_return judge_device_certificate(target, shown, known.identity, now_unix_seconds);
    co_return judge_device_login(target, password, known.identity, known.policy, hub, now_unix_seconds);
}

asio::awaitable<CredentialCheck> check_service_request(Registry& registry, Secret authorization, HubNames hub,
                                                       std::int64_t now_unix_seconds, bool Permissions::*needed) {
    const auto policy = co_await registry.find_policy_keys(named_policy(authorization));
    co_return judge_service_request(authorization, policy, hub, now_unix_seconds, needed);
}

}  // namespace device_streams::hub
