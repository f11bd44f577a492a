#pragma once

#include "common/iothub/stream_request.hpp"
#include "hub/identity/policy.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace device_streams::hub {

/// A policy after a change that took something away from those who use it.
struct PolicyChange {
    std::string name;
    std::optional<Policy> now;          ///< nullopt: it was removed
    std::vector<Credential> on_lost{};  ///< its keys that count no longer
    std::int64_t unix_now = 0;
};

/// Logins, and what policies grant, that count no longer. Their links, requests and streams end at once.
struct Revocation {
    /// The identity (a device with its modules) was removed or disabled.
    Revocation(iothub::Target on_lost) : target(std::move(on_lost)) {}
    /// The identity itself admits no more than this now.
    Revocation(iothub::Target changed, Authentication now) : target(std::move(changed)), remaining(std::move(now)) {}
    /// Of all identities only those certificates count whose CA is one of these.
    explicit Revocation(std::vector<std::string> authorities) : trusted(std::move(authorities)) {}
    /// Of the policy no more counts than it is now.
    explicit Revocation(PolicyChange change) : policy(std::move(change)) {}

    /// A device's login.
    bool covers(const iothub::Target& identity, const Credential& login) const;
    /// What a service's policy grants towards a device.
    bool covers(const iothub::Target& identity, const ServiceGrant& grant) const;
    /// Either of the two that a stream rests on.
    bool covers(const iothub::Target& identity, const Credential& login, const ServiceGrant& grant) const {
        return covers(identity, login) || covers(identity, grant);
    }
    /// One clause for the log.
    std::string_view why() const;
    /// The identity as such is gone, rather than one of its credentials.
    bool of_identity() const { return target && !remaining; }

    std::optional<PolicyChange> policy;
    std::optional<iothub::Target> target;
    std::optional<Authentication> remaining;
    std::vector<std::string> trusted;
};

/// True when `target` is `removed` or one of its modules.
bool belongs_to(const iothub::Target& target, const iothub::Target& removed);

}  // namespace device_streams::hub
