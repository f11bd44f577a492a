#include "hub/identity/revocation.hpp"

#include <algorithm>

namespace device_streams::hub {

bool Revocation::covers(const iothub::Target& identity, const Credential& login) const {
    if (policy)
        return login.kind == Credential::Kind::policy_key &&
               std::ranges::find(policy->on_lost, login) != policy->on_lost.end();
    if (!target)
        return login.kind == Credential::Kind::authority && std::ranges::find(trusted, login.id) == trusted.end();
    if (!remaining) return belongs_to(identity, *target);
    return identity == *target && !admits(*remaining, login);
}

bool Revocation::covers(const iothub::Target& identity, const ServiceGrant& grant) const {
    if (!policy || grant.policy != policy->name) return false;
    return !policy->now || !still_grants(*policy->now, identity, grant, policy->unix_now);
}

std::string_view Revocation::why() const {
    if (policy && !policy->now) return "the policy was removed";
    if (policy)
        return policy->on_lost.empty() ? "the policy does not allow it any more" : "the policy's key was replaced";
    if (!target) return "the CA of the device's certificate is not trusted any more";
    return remaining ? "the device's key or certificate was replaced" : "the device was removed or disabled";
}

bool belongs_to(const iothub::Target& target, const iothub::Target& removed) {
    return target.device_id == removed.device_id &&
           (removed.module_id.empty() || target.module_id == removed.module_id);
}

}  // namespace device_streams::hub
