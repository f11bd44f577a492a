#pragma once

#include "common/base/clock.hpp"
#include "common/iothub/sas_token.hpp"
#include "hub/identity/device_certificate.hpp"
#include "hub/identity/registry.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Who may do what: device credentials open links only, service credentials what their policy
/// permits.
namespace device_streams::hub {

/// Why a credential was refused: for the hub's own log. Peers hear one and the same answer for all of these, so that
/// nobody can find out which devices exist.
enum class Refusal {
    none,
    malformed,         ///< missing, or not a SAS token
    unknown_identity,  ///< no such device or module
    unknown_policy,    ///< the token names no policy, or one that does not exist
    disabled,
    no_permission,  ///< the policy does not allow this
    wrong_scope,    ///< signed for another hub or identity
    wrong_key,
    expired,
    wants_token,          ///< the identity has keys, and there was no token
    wants_certificate,    ///< the identity has a certificate, and there was a token or nothing
    bad_certificate,      ///< malformed, or not yet valid
    unknown_certificate,  ///< another thumbprint than the registered ones
    unknown_authority,    ///< no chain to a CA that is trusted with devices
    wrong_name,           ///< the common name is not the identity
    expired_certificate,
};
/// "token has expired" and the like; fit for a log line.
std::string_view to_string(Refusal refusal);

struct Decision {
    Refusal refusal = Refusal::none;
    std::int64_t expiry = 0;  ///< Unix seconds when the credential ends; 0 when refused
    std::int64_t late = 0;    ///< seconds since it ended, when it was refused for that
    Credential login{};       ///< what it rests on, when granted
    std::string detail{};     ///< of the refusal; may be empty
    bool granted() const { return refusal == Refusal::none; }
};
/// As to_string(Refusal), with its detail, and how late what has expired is: the clocks may differ.
std::string to_string(const Decision& decision);

/// The names of this hub that a token may be signed for (HostName of the connection strings), without regard to case.
struct HubNames {
    std::vector<std::string> names;
};

/// A link's login: the password of MQTT CONNECT against what the registry knows of `target` (and of the policy that the
/// token names, looked up by the caller; nullopt when it names none or there is none). Takes the same time whether the
/// identity exists or not. Pure.
Decision judge_device_login(const iothub::Target& target, const Secret& password,
                            const std::optional<Identity>& identity, const std::optional<Policy>& policy,
                            const HubNames& hub, std::int64_t now_unix_seconds);
/// The same for a link without a password. `shown` is the certificate of its TLS client, nullopt when there is none.
/// Pure.
Decision judge_device_certificate(const iothub::Target& target, const std::optional<DeviceCertificate>& shown,
                                  const std::optional<Identity>& identity, std::int64_t now_unix_seconds);
/// A service's request: the header Authorization against the policy that it names, which must have the permission that
/// is needed. Pure.
Decision judge_service_request(const Secret& authorization, const std::optional<Policy>& policy, const HubNames& hub,
                               std::int64_t now_unix_seconds,
                               bool Permissions::*needed = &Permissions::service_connect);
/// The policy that a token names; empty when it names none or is malformed.
std::string named_policy(const Secret& token);

/// The same with the registry asked for what is needed.
asio::awaitable<Decision> check_device_login(Registry& registry, iothub::Target target, Secret password,
                                             std::optional<DeviceCertificate> shown, HubNames hub,
                                             std::int64_t now_unix_seconds);
asio::awaitable<Decision> check_service_request(Registry& registry, Secret authorization, HubNames hub,
                                                std::int64_t now_unix_seconds, bool Permissions::*needed);

}  // namespace device_streams::hub
