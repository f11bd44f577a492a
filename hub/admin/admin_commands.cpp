#include "hub/admin/admin_commands.hpp"

#include "hub/admin/quota_view.hpp"

namespace device_streams::hub {

namespace {

using nlohmann::json;

iothub::Target target_of(const json& request) {
    return {request.at("device").get<std::string>(), request.value("module", std::string())};
}

Permissions permissions_of(const json& request) {
    Permissions permissions;
    for (const auto& name : request.at("permissions").get<std::vector<std::string>>()) {
        if (name == "RegistryRead")
            permissions.registry_read = true;
        else if (name == "RegistryWrite")
            permissions.registry_write = true;
        else if (name == "ServiceConnect")
            permissions.service_connect = true;
        else if (name == "DeviceConnect")
            permissions.device_connect = true;
        else
            throw Failure(Errc::usage, "permissions are RegistryRead, RegistryWrite, ServiceConnect, DeviceConnect");
    }
    return permissions;
}

json names_of(const Permissions& permissions) {
    json names = json::array();
    if (permissions.registry_read) names.push_back("RegistryRead");
    if (permissions.registry_write) names.push_back("RegistryWrite");
    if (permissions.service_connect) names.push_back("ServiceConnect");
    if (permissions.device_connect) names.push_back("DeviceConnect");
    return names;
}

json described(const Policy& policy) {
    json rules = json::array();
    for (const auto& [number, rule] : policy.rules) rules.push_back({{"number", number}, {"rule", to_string(rule)}});
    return {{"name", policy.name}, {"permissions", names_of(policy.permissions)}, {"rules", std::move(rules)}};
}

std::vector<AllowRule> rules_of(const json& request) {
    std::vector<AllowRule> rules;
    for (const auto& text : request.value("allow", std::vector<std::string>())) rules.push_back(parse_allow_rule(text));
    return rules;
}

WhichKey which_key(const json& request) {
    const auto key = request.value("key", std::string("primary"));
    if (key != "primary" && key != "secondary") throw Failure(Errc::usage, "keys are primary and secondary");
    return key == "secondary" ? WhichKey::secondary : WhichKey::primary;
}

std::int64_t moment_of(const json& request) {
    constexpr std::int64_t year_10000 = 253'402'300'800;
    const auto& at = request.at("at");
    const auto seconds = at.is_number_integer() ? at.get<std::int64_t>() : -1;
    if (seconds < 0 || seconds >= year_10000)
        throw Failure(Errc::usage, "a time is the number of seconds since 1970, until the year 9999");
    return seconds;
}

// What is asked for; where it says nothing, what there is.
Authentication authentication_of(const json& request, Authentication present) {
    const bool by_thumbprint = request.contains("thumbprint") || request.contains("secondaryThumbprint");
    const bool by_authority = request.value("authority", false);
    const bool by_keys = request.value("keys", false);
    if (by_thumbprint + by_authority + by_keys > 1)
        throw Failure(Errc::usage, "thumbprints, a CA and keys exclude each other");
    if (by_authority) return CertificateAuthority{};
    if (by_keys) return make_key_pair();
    if (!by_thumbprint) return present;
    const auto* known = std::get_if<Thumbprints>(&present);
    Thumbprints thumbprints = known ? *known : Thumbprints{};
    thumbprints.primary = request.value("thumbprint", thumbprints.primary);
    thumbprints.secondary = request.value("secondaryThumbprint", thumbprints.secondary);
    return thumbprints;
}

std::string reveal(const KeyPair& keys, WhichKey which) {
    return std::string((which == WhichKey::primary ? keys.primary : keys.secondary).reveal());
}

json failure_answer(Errc code, const std::string& detail) {
    return {{"error", static_cast<int>(code)}, {"detail", detail}};
}

Failure unknown_command() {
    return {Errc::usage, "the hub does not know this command; is it of another version?"};
}

}  // namespace

AdminCommands::AdminCommands(Registry& registry, std::function<HubFacts()> facts, LiveView live)
    : registry_(registry), facts_(std::move(facts)), live_(std::move(live)) {
}

asio::awaitable<json> AdminCommands::execute(json request) {
    auto answer = co_await answer_to(std::move(request));
    if (live_.stopping && live_.stopping()) answer["stopping"] = true;
    co_return answer;
}

asio::awaitable<json> AdminCommands::answer_to(json request) {
    try {
        json answer;
        answer["result"] = co_await dispatch(std::move(request));
        co_return answer;
    } catch (const Failure& failure) {
        co_return failure_answer(failure.errc(), failure.detail());
    } catch (const json::exception&) {
        co_return failure_answer(Errc::usage, "a value of the request is missing or of the wrong type");
    }
}

asio::awaitable<json> AdminCommands::dispatch(json request) {
    const auto command = request.at("command").get<std::string>();
    const auto space = command.find(' ');
    const auto noun = command.substr(0, space);
    const auto verb = space == std::string::npos ? std::string() : command.substr(space + 1);
    require_facts(command);
    if (noun == "device") co_return co_await device(verb, std::move(request));
    if (noun == "policy") co_return co_await policy(verb, std::move(request));
    if (command == "reload") co_return co_await reload();
    if (command == "quota") co_return quota();
    if (command == "streams list") co_return co_await list_streams();
    if (command == "devicestream show") co_return json{{"streamingEndpoints", {facts_().streaming_endpoint}}};
    throw unknown_command();
}

// Before anything is changed: what it would print cannot be had later.
void AdminCommands::require_facts(const std::string& command) const {
    const bool prints_them = command.ends_with(" add") || command.ends_with(" update") ||
                             command.ends_with(" renew-key") || command == "devicestream show";
    if (prints_them && facts_().host_name.empty())
        throw Failure(Errc::usage, "name the hub's configuration with -c: the answer needs the hub's host name");
}

asio::awaitable<json> AdminCommands::device(std::string verb, json request) {
    if (verb == "list") co_return co_await list_devices();
    const auto target = target_of(request);
    if (verb == "show") co_return co_await show_device(target);
    if (verb == "add") {
        const auto added = co_await registry_.add(target, authentication_of(request, make_key_pair()));
        co_return with_connection_string(added, WhichKey::primary);
    }
    if (verb == "update") co_return co_await update_device(target, std::move(request));
    if (verb == "renew-key") {
        const auto which = which_key(request);
        const auto renewed = co_await registry_.renew_key(target, which);
        co_return with_connection_string(renewed, which);
    }
    if (verb == "remove") {
        co_await registry_.remove(target);
    } else if (verb == "enable" || verb == "disable") {
        co_await registry_.set_enabled(target, verb == "enable");
    } else {
        throw unknown_command();
    }
    co_return json::object();
}

asio::awaitable<json> AdminCommands::update_device(iothub::Target target, json request) {
    const auto present = co_await registry_.find(target);
    if (!present) throw Failure(Errc::not_found, target.to_string());
    auto wanted = authentication_of(request, present->authentication);
    if (wanted == present->authentication) co_return with_connection_string(*present, WhichKey::primary);
    const auto changed = co_await registry_.set_authentication(target, std::move(wanted));
    co_return with_connection_string(changed, WhichKey::primary);
}

asio::awaitable<json> AdminCommands::policy(std::string verb, json request) {
    if (verb == "list") co_return co_await list_policies();
    const auto name = request.at("name").get<std::string>();
    if (verb == "add") {
        auto rules = rules_of(request);
        const auto added =
            co_await registry_.add_policy(name, permissions_of(request), make_key_pair(), std::move(rules));
        co_return with_connection_string(added, WhichKey::primary);
    }
    if (verb == "renew-key") {
        const auto which = which_key(request);
        const auto renewed = co_await registry_.renew_policy_key(name, which);
        co_return with_connection_string(renewed, which);
    }
    if (verb == "show") co_return hub::described(co_await found_policy(name));
    if (verb == "explain") co_return co_await explain_policy(name, std::move(request));
    if (verb == "allow" || verb == "disallow") co_return co_await change_rules(verb, name, std::move(request));
    if (verb != "remove") throw unknown_command();
    co_await registry_.remove_policy(name);
    co_return json::object();
}

asio::awaitable<json> AdminCommands::change_rules(std::string verb, std::string name, json request) {
    auto text = request.at("rule").get<std::string>();
    if (verb == "disallow") co_return hub::described(co_await registry_.disallow(name, std::move(text)));
    auto rule = parse_allow_rule(text);
    co_return hub::described(co_await registry_.allow(name, std::move(rule)));
}

asio::awaitable<Policy> AdminCommands::found_policy(std::string name) {
    auto policy = co_await registry_.find_policy(name);
    if (!policy) throw Failure(Errc::not_found, "policy " + name);
    co_return std::move(*policy);
}

asio::awaitable<json> AdminCommands::explain_policy(std::string name, json request) {
    const auto policy = co_await found_policy(std::move(name));
    const auto target = target_of(request);
    const auto at = moment_of(request);
    const auto verdict = judge_stream(policy, target, request.at("service").get<std::string>(), at);
    const auto identity = co_await registry_.find(target);
    json answer{{"allowed", verdict.allowed}, {"reason", verdict.reason}, {"known", identity.has_value()}};
    if (verdict.number != 0) answer["rule"] = verdict.number;
    co_return answer;
}

asio::awaitable<json> AdminCommands::list_devices() {
    const auto now_connected = co_await connected();
    const auto identities = co_await registry_.list();
    json list = json::array();
    for (const auto& identity : identities) list.push_back(described(identity, now_connected));
    co_return list;
}

asio::awaitable<json> AdminCommands::show_device(iothub::Target target) {
    const auto identity = co_await registry_.find(target);
    if (!identity) throw Failure(Errc::not_found, target.to_string());
    const auto now_connected = co_await connected();
    co_return described(*identity, now_connected);
}

asio::awaitable<json> AdminCommands::list_policies() {
    const auto policies = co_await registry_.list_policies();
    json list = json::array();
    for (const auto& policy : policies) list.push_back(hub::described(policy));
    co_return list;
}

asio::awaitable<json> AdminCommands::list_streams() {
    if (!live_.streams) throw Failure(Errc::hub_not_running, "only a running hub has streams");
    const auto streams = co_await live_.streams();
    json list = json::array();
    for (const auto& stream : streams)
        list.push_back({{"device", stream.target.device_id},
                        {"module", stream.target.module_id},
                        {"stream", stream.name},
                        {"bytes_to_device", stream.bytes_to_device},
                        {"bytes_to_service", stream.bytes_to_service},
                        {"duration_ms", whole_milliseconds(stream.duration)}});
    co_return list;
}

asio::awaitable<json> AdminCommands::reload() {
    if (!live_.reload) throw Failure(Errc::hub_not_running, "only a running hub has settings in use");
    const auto changes = co_await live_.reload();
    co_return json{{"changed", changes.used}, {"forRestart", changes.for_restart}};
}

json AdminCommands::quota() const {
    if (!live_.quota) throw Failure(Errc::hub_not_running, "only a running hub counts streams");
    return to_json(live_.quota());
}

asio::awaitable<std::set<iothub::Target>> AdminCommands::connected() {
    std::set<iothub::Target> all;
    if (!live_.connected) co_return all;
    const auto targets = co_await live_.connected();
    all.insert(targets.begin(), targets.end());
    co_return all;
}

json AdminCommands::described(const Identity& identity, const std::set<iothub::Target>& connected_now) const {
    json text{{"device", identity.target.device_id},
              {"enabled", identity.enabled},
              {"created", identity.created},
              {"authentication", to_string(identity.authentication)}};
    if (const auto* thumbprints = std::get_if<Thumbprints>(&identity.authentication)) {
        text["primaryThumbprint"] = thumbprints->primary;
        text["secondaryThumbprint"] = thumbprints->secondary;
    }
    if (!identity.target.module_id.empty()) text["module"] = identity.target.module_id;
    if (live_.connected) text["connected"] = connected_now.contains(identity.target);
    return text;
}

json AdminCommands::with_connection_string(const Identity& identity, WhichKey which) const {
    const auto& target = identity.target;
    const auto module = target.module_id.empty() ? "" : ";ModuleId=" + target.module_id;
    const auto* keys = identity.keys();
    const auto credential = keys ? ";SharedAccessKey=" + reveal(*keys, which) : ";x509=true";
    return {
        {"connectionString", "HostName=" + facts_().host_name + ";DeviceId=" + target.device_id + module + credential}};
}

json AdminCommands::with_connection_string(const Policy& policy, WhichKey which) const {
    return {{"connectionString", "HostName=" + facts_().host_name + ";SharedAccessKeyName=" + policy.name +
                                     ";SharedAccessKey=" + reveal(policy.keys, which)}};
}

json result_of(json answer) {
    if (const auto result = answer.find("result"); result != answer.end()) return std::move(*result);
    if (answer.is_object() && answer.contains("error"))
        throw Failure(static_cast<Errc>(answer.value("error", static_cast<int>(Errc::internal))),
                      answer.value("detail", std::string()));
    throw Failure(Errc::hub_not_running, "the admin socket's answer makes no sense");
}

}  // namespace device_streams::hub
