#include "hub/identity/policy.hpp"

#include <algorithm>

namespace device_streams::hub {

namespace {

std::string shown(const NumberedRule& rule) {
    return "rule " + std::to_string(rule.number) + " (" + to_string(rule.rule) + ")";
}

// How far a rule goes along with a stream, best last.
enum class Fit { none, device, device_and_service, all };

Fit fit_of(const AllowRule& rule, const iothub::Target& target, std::string_view service, std::int64_t unix_now) {
    if (!rule.is_for(target)) return Fit::none;
    if (!rule.includes(service)) return Fit::device;
    return rule.holds_at(unix_now) ? Fit::all : Fit::device_and_service;
}

std::string reason_of(Fit fit, const NumberedRule& rule, std::int64_t unix_now) {
    if (fit == Fit::all) return shown(rule) + " allows it";
    if (fit == Fit::device) return "no rule allows it: " + shown(rule) + " is for other services of the device";
    return "no rule allows it: " + shown(rule) + " does, but not at " + moment_text(unix_now);
}

}  // namespace

bool is_key_of(const Credential& login, const Policy& policy) {
    const auto is = [&](const Secret& key) { return login == credential_of(Credential::Kind::policy_key, key); };
    return is(policy.keys.primary) || is(policy.keys.secondary);
}

StreamVerdict judge_stream(const Policy& policy, const iothub::Target& target, std::string_view service,
                           std::int64_t unix_now) {
    StreamVerdict verdict;
    if (!policy.permissions.service_connect) {
        verdict.reason = "the policy has no permission ServiceConnect";
        return verdict;
    }
    auto best = Fit::none;
    const NumberedRule* decided = nullptr;
    for (const auto& candidate : policy.rules) {
        const auto fit = fit_of(candidate.rule, target, service, unix_now);
        if (fit <= best) continue;
        best = fit;
        decided = &candidate;
    }
    verdict.reason = policy.rules.empty() ? "the policy has no rules" : "no rule is for this device";
    if (decided == nullptr) return verdict;
    return {best == Fit::all, decided->number, to_string(decided->rule), reason_of(best, *decided, unix_now)};
}

bool still_grants(const Policy& policy, const iothub::Target& target, const ServiceGrant& grant,
                  std::int64_t unix_now) {
    const auto is_key = [&](const Secret& key) {
        return grant.key == credential_of(Credential::Kind::policy_key, key);
    };
    if (!policy.permissions.service_connect || (!is_key(policy.keys.primary) && !is_key(policy.keys.secondary)))
        return false;
    const auto has_rule = [&](const NumberedRule& known) { return to_string(known.rule) == grant.rule; };
    return std::ranges::any_of(policy.rules, has_rule) || judge_stream(policy, target, grant.service, unix_now).allowed;
}

}  // namespace device_streams::hub
