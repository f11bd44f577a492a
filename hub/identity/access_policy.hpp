#pragma once

#include "common/base/clock.hpp"
#include "common/iothub/sas_token.hpp"
#include "hub/identity/denial.hpp"
#include "hub/identity/device_certificate.hpp"
#include "hub/identity/registry.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Who may do what: device credentials open links only, service credentials what their policy
/// permits.
namespace device_streams::hub {

/// What a credential is worth.
struct CredentialCheck {
    std::optional<Denial> denial{};
    std::int64_t expiry = 0;  ///< Unix seconds when the credential ends; 0 when denied
    Credential login{};       ///< what it rests on, when granted
    bool granted() const { return !denial; }
};

/// The names of this hub that a token may be signed for (HostName of the connection strings), without regard to case.
struct HubNames {
    std::vector<std::string> names;
};

/// A link's login: the password of MQTT CONNECT against what the registry knows of `target` (and of the policy that the
/// token names, looked up by the caller; nullopt when it names none or there is none). Takes the same time whether the
/// identity exists or not. Pure.
CredentialCheck judge_device_login(const iothub::Target& target, const Secret& password,
                                   const std::optional<Identity>& identity, const std::optional<Policy>& policy,
                                   const HubNames& hub, std::int64_t now_unix_seconds);
/// The same for a link without a password. `shown` is the certificate of its TLS client, nullopt when there is none.
/// Pure.
CredentialCheck judge_device_certificate(const iothub::Target& target, const std::optional<DeviceCertificate>& shown,
                                         const std::optional<Identity>& identity, std::int64_t now_unix_seconds);
/// Whether a login that was granted would be granted now: for what changed before its link could be found and ended.
/// Pure.
bool still_admits(const PolicyAndIdentity& known, const Credential& login);
/// A service's request: the header Authorization against the policy that it names, which must have the permission that
/// is needed. Pure.
CredentialCheck judge_service_request(const Secret& authorization, const std::optional<Policy>& policy,
                                      const HubNames& hub, std::int64_t now_unix_seconds,
                                      bool Permissions::*needed = &Permissions::service_connect);
/// The policy that a token names; empty when it names none or is malformed.
std::string named_policy(const Secret& token);

/// The same with the registry asked for what is needed.
asio::awaitable<CredentialCheck> check_device_login(Registry& registry, iothub::Target target, Secret password,
                                                    std::optional<DeviceCertificate> shown, HubNames hub,
                                                    std::int64_t now_unix_seconds);
asio::awaitable<CredentialCheck> check_service_request(Registry& registry, Secret authorization, HubNames hub,
                                                       std::int64_t now_unix_seconds, bool Permissions::*needed);

}  // namespace device_streams::hub
