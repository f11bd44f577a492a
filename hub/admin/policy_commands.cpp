#include "common/base/log_text.hpp"
#include "hub/admin/admin_commands.hpp"
#include "hub/admin/command_text.hpp"

#include <algorithm>

namespace device_streams::hub {

namespace {

using nlohmann::json;

json connection_string(const AdministeredHub& hub, const Policy& policy, WhichKey which = WhichKey::primary) {
    return connection_string_result(hub.facts().host_name, ";SharedAccessKeyName=" + policy.name + ";SharedAccessKey=" +
                                                               std::string(policy.keys.of(which).reveal()));
}

json described(const Policy& policy) {
    json rules = json::array();
    for (const auto& [number, rule] : policy.rules) rules.push_back({{"number", number}, {"rule", to_string(rule)}});
    json description{{"name", policy.name}, {"permissions", names_of(policy.permissions)}, {"rules", std::move(rules)}};
    for (const auto& rule : policy.unreadable)
        description["unreadableRules"].push_back({{"number", rule.number}, {"rule", rule.text}});
    return description;
}

std::string permissions_and_rules(const json& policy) {
    auto text = joined(policy.at("permissions"), " ");
    const auto unreadable = policy.value("unreadableRules", json::array());
    for (const auto& row : unreadable)
        text += ", cannot read rule " + std::to_string(row.at("number").get<std::int64_t>());
    const auto rules = policy.at("rules").size();
    if (rules > 0) return text + ", " + std::to_string(rules) + (rules == 1 ? " rule" : " rules");
    return text.find("ServiceConnect") == std::string::npos ? text : text + ", may reach nothing: no rules";
}

std::string print_policy(const json& policy) {
    auto text = policy.at("name").get<std::string>() + ": " + permissions_and_rules(policy) + "\n";
    for (const auto& row : policy.at("rules"))
        text += "  " + padded(std::to_string(row.at("number").get<std::int64_t>()), 3) +
                row.at("rule").get<std::string>() + "\n";
    for (const auto& row : policy.value("unreadableRules", json::array()))
        text += "  " + padded(std::to_string(row.at("number").get<std::int64_t>()), 3) +
                escape_control_characters(row.at("rule").get<std::string>()) +
                "  (cannot be read, and allows nothing)\n";
    return text;
}

asio::awaitable<json> add_policy(AdministeredHub& hub, json request) {
    const auto name = policy_of(request);
    auto rules = rules_of(request);
    const auto permissions = permissions_of(request);
    const auto added = co_await hub.registry.add_policy(name, permissions, make_key_pair(), std::move(rules));
    co_return connection_string(hub, added);
}

asio::awaitable<json> renew_policy_key(AdministeredHub& hub, json request) {
    const auto name = policy_of(request);
    const auto which = which_key(request);
    const auto renewed = co_await hub.registry.renew_policy_key(name, which);
    co_return connection_string(hub, renewed, which);
}

asio::awaitable<json> remove_policy(AdministeredHub& hub, json request) {
    const auto name = policy_of(request);
    co_await hub.registry.remove_policy(name);
    co_return json::object();
}

asio::awaitable<json> list_policies(AdministeredHub& hub, json) {
    const auto policies = co_await hub.registry.list_policies();
    json rows = json::array();
    for (const auto& policy : policies) rows.push_back(described(policy));
    co_return rows;
}

std::string print_policies(const json& rows) {
    std::size_t width = 0;
    for (const auto& row : rows) width = std::max(width, row.at("name").get<std::string>().size());
    std::string text;
    for (const auto& row : rows)
        text += padded(row.at("name").get<std::string>(), width) + permissions_and_rules(row) + "\n";
    return text;
}

asio::awaitable<json> allow_rule(AdministeredHub& hub, json request) {
    const auto name = policy_of(request);
    auto rule = parse_allow_rule(rule_of(request));
    const auto changed = co_await hub.registry.allow(name, std::move(rule));
    co_return described(changed);
}

asio::awaitable<json> disallow_rule(AdministeredHub& hub, json request) {
    const auto name = policy_of(request);
    const auto changed = co_await hub.registry.disallow(name, rule_of(request));
    co_return described(changed);
}

asio::awaitable<Policy> found_policy(AdministeredHub& hub, std::string name) {
    auto policy = co_await hub.registry.find_policy(name);
    if (!policy) throw Failure(Errc::not_found, "policy " + name);
    co_return std::move(*policy);
}

asio::awaitable<json> show_policy(AdministeredHub& hub, json request) {
    const auto policy = co_await found_policy(hub, policy_of(request));
    co_return described(policy);
}

asio::awaitable<json> explain_policy(AdministeredHub& hub, json request) {
    const auto policy = co_await found_policy(hub, policy_of(request));
    const auto target = target_of(request);
    const auto at = moment_of(request);
    const auto verdict = judge_stream(policy, target, asked_service(request), at);
    const auto identity = co_await hub.registry.find(target);
    json answer{{"allowed", verdict.allowed}, {"reason", verdict.reason}, {"known", identity.has_value()}};
    if (verdict.number != 0) answer["rule"] = verdict.number;
    co_return answer;
}

std::string print_explanation(const json& answer) {
    return (answer.at("allowed").get<bool>() ? "yes: " : "no: ") + answer.at("reason").get<std::string>() +
           (answer.at("known").get<bool>() ? "" : " (this hub knows no such device)") + "\n";
}

}  // namespace

std::vector<AdminCommand> policy_commands() {
    return {
        {"policy add",
         "Add a policy, and print its connection string",
         {take_policy, take_output, take_permissions, take_rules},
         add_policy,
         print_connection_string,
         Tells::facts},
        {"policy list", "List policies", {take_json}, list_policies, print_policies},
        {"policy remove", "Remove a policy; ends its streams and links", {take_policy}, remove_policy, print_nothing},
        {"policy allow",
         "Let a policy reach more, and print its rules",
         {take_policy, take_rule, take_json},
         allow_rule,
         print_policy},
        {"policy disallow",
         "Take a rule away, end the streams that only it allowed, and print the rest",
         {take_policy, take_rule_or_number, take_json},
         disallow_rule,
         print_policy},
        {"policy show",
         "Show what a policy may do, and its rules with their numbers",
         {take_policy, take_json},
         show_policy,
         print_policy},
        {"policy explain",
         "Say whether a policy may open a stream, and what decides",
         {take_policy, take_target, take_service, take_json},
         explain_policy,
         print_explanation},
        {"policy renew-key",
         "Replace one of the two keys, and print a connection string with it",
         {take_policy, take_key, take_output},
         renew_policy_key,
         print_connection_string,
         Tells::facts},
    };
}

}  // namespace device_streams::hub
