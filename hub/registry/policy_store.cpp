#include "hub/registry/policy_store.hpp"

#include "common/base/error.hpp"
#include "common/iothub/connection_string.hpp"
#include "common/text/decimal.hpp"

#include <algorithm>

namespace device_streams::hub {

namespace {

constexpr std::string_view columns = "SELECT name, permissions, primary_key, secondary_key FROM policy";

std::int64_t to_bits(const Permissions& p) {
    return p.registry_read | p.registry_write << 1 | p.service_connect << 2 | p.device_connect << 3;
}

Policy read_policy(const Query& row) {
    const auto bits = row.number(1);
    const Permissions permissions{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0};
    return {row.text(0), {Secret(row.text(2)), Secret(row.text(3))}, permissions, {}};
}

void require_valid_policy_name(const std::string& name) {
    if (!iothub::is_valid_policy_name(name))
        throw Failure(Errc::usage, "policy names are 1 to 64 of A-Z a-z 0-9 - _ .");
}

// More would only slow every request of the policy down.
constexpr std::size_t most_rules = 1000;

// Takes the rule into the policy.
const NumberedRule& with_next_number(Policy& policy, const AllowRule& rule) {
    if (std::ranges::find(policy.rules, rule, &NumberedRule::rule) != policy.rules.end())
        throw Failure(Errc::already_exists, "rule of policy " + policy.name + ": " + to_string(rule));
    if (policy.rules.size() >= most_rules)
        throw Failure(Errc::usage, "a policy has at most " + std::to_string(most_rules) + " rules");
    auto last = policy.rules.empty() ? 0 : policy.rules.back().number;
    if (!policy.unreadable.empty()) last = std::max(last, policy.unreadable.back().number);
    return policy.rules.emplace_back(NumberedRule{last + 1, rule});
}

std::vector<NumberedRule>::iterator find_rule(Policy& policy, const std::string& which) {
    const auto number = parse_decimal<std::int64_t>(which);
    const auto found = number ? std::ranges::find(policy.rules, *number, &NumberedRule::number)
                              : std::ranges::find(policy.rules, parse_allow_rule(which), &NumberedRule::rule);
    if (found == policy.rules.end()) throw Failure(Errc::not_found, "rule of policy " + policy.name + ": " + which);
    return found;
}

std::vector<Credential> credentials_of(const Policy& policy) {
    return {credential_of(Credential::Kind::policy_key, policy.keys.primary),
            credential_of(Credential::Kind::policy_key, policy.keys.secondary)};
}

}  // namespace

std::optional<Policy> PolicyStore::find(const std::string& name) {
    auto policy = find_keys(name);
    if (policy) read_rules(*policy);
    return policy;
}

std::optional<Policy> PolicyStore::find_keys(const std::string& name) {
    static const std::string sql = std::string(columns) + " WHERE name = ?";
    auto query = database_.query(sql);
    query.bind(name);
    if (!query.step()) return std::nullopt;
    return read_policy(query);
}

Policy PolicyStore::get(const std::string& name) {
    auto policy = find(name);
    if (!policy) throw Failure(Errc::not_found, "policy " + name);
    return std::move(*policy);
}

std::vector<Policy> PolicyStore::list() {
    static const std::string sql = std::string(columns) + " ORDER BY name";
    auto query = database_.query(sql);
    std::vector<Policy> policies;
    while (query.step()) policies.push_back(read_policy(query));
    for (auto& policy : policies) read_rules(policy);
    return policies;
}

void PolicyStore::read_rules(Policy& policy) {
    auto query = database_.query("SELECT number, rule FROM policy_rule WHERE policy = ? ORDER BY number");
    query.bind(policy.name);
    while (query.step()) {
        const auto number = query.number(0);
        auto text = query.text(1);
        try {
            policy.rules.push_back({number, parse_allow_rule(text)});
        } catch (const Failure&) {
            policy.unreadable.push_back({number, std::move(text)});
        }
    }
}

void PolicyStore::insert_rule(const std::string& policy, const NumberedRule& rule) {
    const auto text = to_string(rule.rule);
    database_.query("INSERT INTO policy_rule VALUES (?, ?, ?)").bind(policy).bind(rule.number).bind(text).step();
}

void PolicyStore::delete_rule(const std::string& policy, std::int64_t number) {
    database_.query("DELETE FROM policy_rule WHERE policy = ? AND number = ?").bind(policy).bind(number).step();
}

Policy PolicyStore::add(const std::string& name, Permissions permissions, const KeyPair& keys,
                        const std::vector<AllowRule>& rules) {
    require_valid_policy_name(name);
    Transaction transaction(database_);
    if (find(name)) throw Failure(Errc::already_exists, "policy " + name);
    database_.query("INSERT INTO policy VALUES (?, ?, ?, ?)")
        .bind(name)
        .bind(to_bits(permissions))
        .bind(keys.primary.reveal())
        .bind(keys.secondary.reveal())
        .step();
    Policy policy{name, keys, permissions, {}};
    for (const auto& rule : rules) insert_rule(name, with_next_number(policy, rule));
    transaction.commit();
    return policy;
}

Policy PolicyStore::allow(const std::string& name, const AllowRule& rule) {
    Transaction transaction(database_);
    auto policy = get(name);
    insert_rule(name, with_next_number(policy, rule));
    transaction.commit();
    return policy;
}

PolicyChange PolicyStore::disallow(const std::string& name, const std::string& rule) {
    Transaction transaction(database_);
    auto policy = get(name);
    const auto number = parse_decimal<std::int64_t>(rule);
    const auto unreadable = std::ranges::find(policy.unreadable, number.value_or(0), &UnreadableRule::number);
    if (unreadable != policy.unreadable.end()) {
        delete_rule(name, unreadable->number);
        policy.unreadable.erase(unreadable);
    } else {
        const auto on_lost = find_rule(policy, rule);
        delete_rule(name, on_lost->number);
        policy.rules.erase(on_lost);
    }
    transaction.commit();
    return {name, std::move(policy), {}, clock_.unix_seconds()};
}

PolicyChange PolicyStore::remove(const std::string& name) {
    Transaction transaction(database_);
    const auto policy = get(name);
    database_.query("DELETE FROM policy_rule WHERE policy = ?").bind(name).step();
    database_.query("DELETE FROM policy WHERE name = ?").bind(name).step();
    transaction.commit();
    return {name, std::nullopt, credentials_of(policy), clock_.unix_seconds()};
}

PolicyChange PolicyStore::renew_key(const std::string& name, WhichKey which) {
    Transaction transaction(database_);
    auto policy = get(name);
    auto& key = policy.keys.of(which);
    const auto on_lost = credential_of(Credential::Kind::policy_key, key);
    key = make_key_pair().primary;
    database_.query("UPDATE policy SET primary_key = ?, secondary_key = ? WHERE name = ?")
        .bind(policy.keys.primary.reveal())
        .bind(policy.keys.secondary.reveal())
        .bind(name)
        .step();
    transaction.commit();
    return {name, std::move(policy), {on_lost}, clock_.unix_seconds()};
}

}  // namespace device_streams::hub
