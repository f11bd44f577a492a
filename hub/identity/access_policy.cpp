#include "hub/identity/access_policy.hpp"

#include <algorithm>

namespace device_streams::hub {

namespace {

// What a token is checked against when there is no true key, so that a stranger cannot time who exists.
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

Decision refuse(Refusal refusal, std::string detail = {}) {
    return {refusal, 0, 0, {}, std::move(detail)};
}

// The part that is the same for all: signature, scope and time. `keys` null: signed by nobody that we know.
Decision judge_token(const iothub::SasToken& token, const KeyPair* keys, const HubNames& hub, const std::string& path,
                     std::int64_t now_unix_seconds) {
    const auto* key = signing_key(token, keys ? *keys : nobodys_keys());
    if (!keys || !key) return refuse(Refusal::wrong_key);
    if (!in_scope(token, hub, path)) return refuse(Refusal::wrong_scope);
    if (token.expired(now_unix_seconds)) return {Refusal::expired, 0, now_unix_seconds - token.expiry};
    const auto kind = token.policy.empty() ? Credential::Kind::device_key : Credential::Kind::policy_key;
    return {Refusal::none, token.expiry, 0, credential_of(kind, *key)};
}

Decision judge_thumbprint(const CertificateFacts& shown, const Thumbprints& known) {
    for (const auto& thumbprint : {known.primary, known.secondary})
        if (!thumbprint.empty() && (thumbprint == shown.sha256 || thumbprint == shown.sha1))
            return {Refusal::none, shown.not_after, 0, {Credential::Kind::certificate, thumbprint}};
    return refuse(Refusal::unknown_certificate, "its SHA-256 is " + shown.sha256);
}

Decision judge_chain(const DeviceCertificate& shown, const iothub::Target& target) {
    if (shown.authority.empty()) return refuse(Refusal::unknown_authority, shown.why_no_authority);
    if (shown.own.common_name != target.to_string()) return refuse(Refusal::wrong_name);
    return {Refusal::none, shown.chain_ends, 0, {Credential::Kind::authority, shown.authority}};
}

}  // namespace

std::string_view to_string(Refusal refusal) {
    switch (refusal) {
        case Refusal::none:
            return "granted";
        case Refusal::malformed:
            return "no token, or not a shared access signature";
        case Refusal::unknown_identity:
            return "no such device or module";
        case Refusal::unknown_policy:
            return "the token names no policy of this hub";
        case Refusal::disabled:
            return "the device or module is disabled";
        case Refusal::no_permission:
            return "the policy does not permit this";
        case Refusal::wrong_scope:
            return "the token is for another hub or identity";
        case Refusal::wrong_key:
            return "the token is not signed with a current key";
        case Refusal::expired:
            return "the token has expired";
        case Refusal::wants_token:
            return "the identity logs in with a token, and there was none";
        case Refusal::wants_certificate:
            return "the identity logs in with a certificate";
        case Refusal::bad_certificate:
            return "the certificate is malformed or not valid yet";
        case Refusal::unknown_certificate:
            return "the certificate's thumbprint is not registered";
        case Refusal::unknown_authority:
            return "the certificate comes from no CA of device_ca";
        case Refusal::wrong_name:
            return "the certificate's common name is another one";
        case Refusal::expired_certificate:
            return "the certificate has expired";
    }
    return "refused";
}

std::string to_string(const Decision& decision) {
    const auto why =
        std::string(to_string(decision.refusal)) + (decision.detail.empty() ? "" : " (" + decision.detail + ")");
    if (decision.late == 0) return why;
    return why + " " + std::to_string(decision.late) + " s ago by this hub's clock; one of the two clocks may be wrong";
}

Decision judge_device_login(const iothub::Target& target, const Secret& password,
                            const std::optional<Identity>& identity, const std::optional<Policy>& policy,
                            const HubNames& hub, std::int64_t now_unix_seconds) {
    const auto token = iothub::parse_sas_token(password.reveal());
    if (!token) return refuse(Refusal::malformed);
    const bool by_policy = !token->policy.empty();
    const KeyPair* keys = by_policy ? (policy ? &policy->keys : nullptr) : (identity ? identity->keys() : nullptr);
    auto decision = judge_token(*token, keys, hub, path_of(target), now_unix_seconds);
    if (by_policy && !policy) return refuse(Refusal::unknown_policy);
    if (!identity) return refuse(Refusal::unknown_identity);
    if (!identity->keys()) return refuse(Refusal::wants_certificate);
    if (!decision.granted()) return decision;
    if (by_policy && !policy->permissions.device_connect) return refuse(Refusal::no_permission);
    if (!identity->enabled) return refuse(Refusal::disabled);
    return decision;
}

Decision judge_device_certificate(const iothub::Target& target, const std::optional<DeviceCertificate>& shown,
                                  const std::optional<Identity>& identity, std::int64_t now_unix_seconds) {
    if (!identity) return refuse(Refusal::unknown_identity);
    if (identity->keys()) return refuse(Refusal::wants_token);
    if (!shown) return refuse(Refusal::wants_certificate);
    if (!identity->enabled) return refuse(Refusal::disabled);
    if (now_unix_seconds < shown->own.not_before) return refuse(Refusal::bad_certificate);
    if (now_unix_seconds > shown->own.not_after)
        return {Refusal::expired_certificate, 0, now_unix_seconds - shown->own.not_after};
    const auto* thumbprints = std::get_if<Thumbprints>(&identity->authentication);
    return thumbprints ? judge_thumbprint(shown->own, *thumbprints) : judge_chain(*shown, target);
}

Decision judge_service_request(const Secret& authorization, const std::optional<Policy>& policy, const HubNames& hub,
                               std::int64_t now_unix_seconds, bool Permissions::*needed) {
    const auto token = iothub::parse_sas_token(authorization.reveal());
    if (!token) return refuse(Refusal::malformed);
    const bool known = policy && !token->policy.empty();
    auto decision = judge_token(*token, known ? &policy->keys : nullptr, hub, {}, now_unix_seconds);
    if (!known) return refuse(Refusal::unknown_policy);
    if (decision.granted() && !(policy->permissions.*needed)) return refuse(Refusal::no_permission);
    return decision;
}

std::string named_policy(const Secret& token) {
    const auto parsed = iothub::parse_sas_token(token.reveal());
    return parsed ? parsed->policy : std::string();
}

asio::awaitable<Decision> check_device_login(Registry& registry, iothub::Target target, Secret password,
                                             std::optional<DeviceCertificate> shown, HubNames hub,
                                             std::int64_t now_unix_seconds) {
    const auto known = co_await registry.find_both(named_policy(password), target);
    if (password.empty()) co_return judge_device_certificate(target, shown, known.identity, now_unix_seconds);
    co_return judge_device_login(target, password, known.identity, known.policy, hub, now_unix_seconds);
}

asio::awaitable<Decision> check_service_request(Registry& registry, Secret authorization, HubNames hub,
                                                std::int64_t now_unix_seconds, bool Permissions::*needed) {
    const auto policy = co_await registry.find_policy(named_policy(authorization));
    co_return judge_service_request(authorization, policy, hub, now_unix_seconds, needed);
}

}  // namespace device_streams::hub
