#include "hub/admin/subcommands.hpp"

#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "hub/admin/quota_view.hpp"
#include "hub/identity/rule_time.hpp"

#include <CLI/CLI.hpp>

#include <map>

namespace device_streams::hub {

namespace {

using nlohmann::json;

// The names as Azure's registry has them.
const std::map<std::string, std::string>& permission_names() {
    static const std::map<std::string, std::string> names{{"service-connect", "ServiceConnect"},
                                                          {"device-connect", "DeviceConnect"},
                                                          {"registry-read", "RegistryRead"},
                                                          {"registry-write", "RegistryWrite"}};
    return names;
}

std::string identity_of(const json& row) {
    const auto module = row.value("module", std::string());
    return row.at("device").get<std::string>() + (module.empty() ? "" : "/" + module);
}

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(text.size(), width), ' ');
    return text + "  ";
}

std::string print_connection_string(const json& result) {
    return result.at("connectionString").get<std::string>() + "\n";
}

std::string print_json(const json& result) {
    return result.dump(2) + "\n";
}

std::string print_devices(const json& devices) {
    std::size_t width = 0;
    for (const auto& row : devices) width = std::max(width, identity_of(row).size());
    std::string text;
    for (const auto& row : devices) {
        text += padded(identity_of(row), width) + padded(row.at("enabled").get<bool>() ? "enabled" : "disabled", 8);
        if (row.contains("connected")) text += padded(row["connected"].get<bool>() ? "connected" : "-", 9);
        text += row.at("created").get<std::string>() + "\n";
    }
    return text;
}

std::string permissions_and_rules(const json& policy) {
    std::string text;
    for (const auto& permission : policy.at("permissions"))
        text += (text.empty() ? "" : " ") + permission.get<std::string>();
    const auto rules = policy.at("rules").size();
    if (rules > 0) return text + ", " + std::to_string(rules) + (rules == 1 ? " rule" : " rules");
    return text.find("ServiceConnect") == text.npos ? text : text + ", may reach nothing: no rules";
}

std::string print_policies(const json& policies) {
    std::size_t width = 0;
    for (const auto& row : policies) width = std::max(width, row.at("name").get<std::string>().size());
    std::string text;
    for (const auto& row : policies) {
        const auto line = padded(row.at("name").get<std::string>(), width);
        text += line + permissions_and_rules(row) + "\n";
    }
    return text;
}

std::string print_policy(const json& policy) {
    auto text = policy.at("name").get<std::string>() + ": " + permissions_and_rules(policy) + "\n";
    for (const auto& row : policy.at("rules"))
        text += "  " + padded(std::to_string(row.at("number").get<std::int64_t>()), 3) +
                row.at("rule").get<std::string>() + "\n";
    return text;
}

std::string print_explanation(const json& answer) {
    return (answer.at("allowed").get<bool>() ? "yes: " : "no: ") + answer.at("reason").get<std::string>() +
           (answer.at("known").get<bool>() ? "" : " (this hub knows no such device)") + "\n";
}

std::string print_streams(const json& streams) {
    std::string text;
    for (const auto& row : streams)
        text += identity_of(row) + "  " + row.at("stream").get<std::string>() + "  " +
                std::to_string(row.at("duration_ms").get<std::int64_t>() / 1000) + " s  " +
                std::to_string(row.at("bytes_to_device").get<std::uint64_t>()) + " bytes to device  " +
                std::to_string(row.at("bytes_to_service").get<std::uint64_t>()) + " bytes to service\n";
    return text;
}

std::string joined(const json& words, const std::string& separator = ", ") {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : separator) + word.get<std::string>();
    return text;
}

std::string print_changes(const json& changes) {
    const auto changed = joined(changes.at("changed")), for_restart = joined(changes.at("forRestart"));
    std::string text = "changed: " + (changed.empty() ? "nothing" : changed) + "\n";
    if (!for_restart.empty()) text += "changed, but in use only after a restart: " + for_restart + "\n";
    return text;
}

std::string print_nothing(const json&) {
    return {};
}

}  // namespace

AdminSubcommands::AdminSubcommands(CLI::App& app) {
    add_device_commands(app);
    add_policy_commands(app);
    add_stream_commands(app);
    add_quota_command(app);
    add_reload_command(app);
}

CLI::App& AdminSubcommands::add_noun(CLI::App& app, const std::string& name, const std::string& help) {
    auto* noun = app.add_subcommand(name, help);
    noun->require_subcommand(1);
    noun->fallthrough();
    return *noun;
}

CLI::App& AdminSubcommands::add_verb(CLI::App& noun, const std::string& name, const std::string& help, Print print) {
    auto* verb = noun.add_subcommand(name, help);
    make_command(*verb, noun.get_name() + " " + name, std::move(print));
    return *verb;
}

void AdminSubcommands::make_command(CLI::App& verb, const std::string& command, Print print) {
    verb.fallthrough();
    verb.callback([this, command, print = std::move(print)] {
        request_ = asked(command);
        print_ = as_json_ ? print_json : print;
    });
}

// Each command takes what it knows and leaves the rest, so one shape serves all.
json AdminSubcommands::asked(const std::string& command) const {
    json request{{"command", command}};
    const auto slash = device_.find('/');
    if (!device_.empty()) request["device"] = device_.substr(0, slash);
    if (slash != std::string::npos) request["module"] = device_.substr(slash + 1);
    if (!module_.empty()) request["module"] = module_;
    if (!policy_.empty()) request["name"] = policy_;
    if (!key_.empty()) request["key"] = key_;
    if (thumbprint_) request["thumbprint"] = *thumbprint_;
    if (secondary_thumbprint_) request["secondaryThumbprint"] = *secondary_thumbprint_;
    if (by_authority_) request["authority"] = true;
    if (by_keys_) request["keys"] = true;
    if (!allow_.empty()) request["allow"] = allow_;
    if (!rule_.empty()) request["rule"] = joined(rule_, " ");
    if (!service_.empty()) {
        request["service"] = service_;
        request["at"] = at_.empty() ? SystemClock().unix_seconds() : parse_moment(at_);
    }
    request["permissions"] = json::array();
    for (const auto& permission : permissions_) request["permissions"].push_back(permission_names().at(permission));
    return request;
}

void AdminSubcommands::add_device_commands(CLI::App& app) {
    auto& device = add_noun(app, "device", "Devices and modules that may link to the hub");
    auto& add =
        add_verb(device, "add", "Add a device or a module, and print its connection string", print_connection_string);
    take_target(add);
    take_certificate(add);
    take_output(add);
    take_json(add_verb(device, "list", "List devices and modules", print_devices));
    take_target(add_verb(device, "show", "Show a device or a module as JSON", print_json));
    take_target(add_verb(device, "remove", "Remove a device and its modules, or a module; ends their links and streams",
                         print_nothing));
    take_target(add_verb(device, "disable", "Refuse a device its links until it is enabled again", print_nothing));
    take_target(add_verb(device, "enable", "Admit a disabled device again", print_nothing));
    auto& update = add_verb(device, "update",
                            "Change what a device logs in with, and print its connection string; links and streams "
                            "that rest on what is replaced end",
                            print_connection_string);
    take_target(update);
    take_certificate(update);
    update.add_flag("--sas", by_keys_, "Two new keys instead of a certificate")
        ->excludes("--x509-thumbprint", "--x509-secondary", "--x509-ca");
    take_output(update);
    auto& renew = add_verb(device, "renew-key", "Replace one of the two keys, and print a connection string with it",
                           print_connection_string);
    take_target(renew);
    take_key(renew);
    take_output(renew);
}

void AdminSubcommands::add_policy_commands(CLI::App& app) {
    auto& policy = add_noun(app, "policy", "Policies, the credentials of services");
    auto& add = add_verb(policy, "add", "Add a policy, and print its connection string", print_connection_string);
    take_policy(add);
    take_output(add);
    take_permissions(add);
    add.add_option("--allow", allow_, "A rule, as for `policy allow`; may be given more than once")
        ->type_name("RULE")
        ->type_size(1);
    take_json(add_verb(policy, "list", "List policies", print_policies));
    take_policy(add_verb(policy, "remove", "Remove a policy; ends its streams and links", print_nothing));
    add_rule_commands(policy);
    auto& renew = add_verb(policy, "renew-key", "Replace one of the two keys, and print a connection string with it",
                           print_connection_string);
    take_policy(renew);
    take_key(renew);
    take_output(renew);
}

void AdminSubcommands::add_rule_commands(CLI::App& policy) {
    auto& allow = add_verb(policy, "allow", "Let a policy reach more, and print its rules", print_policy);
    take_policy(allow);
    take_rule(
        allow,
        "DEVICE[/MODULE] SERVICES [DAYS] [HOURS] [ZONE] [from DATE] [until DATE], where DEVICE and MODULE may hold "
        "* and ? and SERVICES is a list or *: 'pump-* ssh,rdp mon-fri 08:00-18:00 UTC+01:00 until 2026-12-31'");
    take_json(allow);
    auto& disallow = add_verb(
        policy, "disallow", "Take a rule away, end the streams that only it allowed, and print the rest", print_policy);
    take_policy(disallow);
    take_rule(disallow, "The rule's number or its text");
    take_json(disallow);
    auto& show = add_verb(policy, "show", "Show what a policy may do, and its rules with their numbers", print_policy);
    take_policy(show);
    take_json(show);
    auto& explain =
        add_verb(policy, "explain", "Say whether a policy may open a stream, and what decides", print_explanation);
    take_policy(explain);
    take_target(explain);
    take_question(explain);
    take_json(explain);
}

void AdminSubcommands::add_reload_command(CLI::App& app) {
    auto* reload = app.add_subcommand(
        "reload", "Let the running hub read its configuration and the files that it names again, and say what changed");
    make_command(*reload, "reload", print_changes);
    take_json(*reload);
}

void AdminSubcommands::add_quota_command(CLI::App& app) {
    auto* quota = app.add_subcommand("quota", "Show the limits of streams, and what is in use of them");
    make_command(*quota, "quota", print_quota);
    take_json(*quota);
}

void AdminSubcommands::add_stream_commands(CLI::App& app) {
    auto& streams = add_noun(app, "streams", "Streams that run now");
    take_json(add_verb(streams, "list", "List streams", print_streams));
    auto& devicestream = add_noun(app, "devicestream", "Device streams as `az iot hub devicestream` has them");
    add_verb(devicestream, "show", "Show the streaming endpoint as JSON", print_json);
}

void AdminSubcommands::take_target(CLI::App& command) {
    command.add_option("ID", device_, "Device, or DEVICE/MODULE")->required()->type_name("");
    command.add_option("--module", module_, "Module of the device")->type_name("ID");
}

void AdminSubcommands::take_policy(CLI::App& command) {
    command.add_option("NAME", policy_, "Policy")->required()->type_name("");
}

void AdminSubcommands::take_permissions(CLI::App& command) {
    command.add_option("--permission", permissions_, "What its holder may do; may be given more than once")
        ->check(CLI::IsMember(permission_names()))
        ->type_name("WORD")
        ->type_size(1)
        ->capture_default_str();
}

void AdminSubcommands::take_rule(CLI::App& command, const std::string& help) {
    command.add_option("RULE", rule_, help)->required()->expected(1, 64)->type_name("");
}

void AdminSubcommands::take_question(CLI::App& command) {
    const auto fault = [](const std::string& text) -> std::string {
        try {
            parse_moment(text);
            return {};
        } catch (const Failure& failure) {
            return failure.detail();
        }
    };
    command.add_option("SERVICE", service_, "Service, as streams name it")->required()->type_name("");
    command.add_option("--at", at_, "At this time instead of now: 2026-11-26T22:30Z or ...+01:00")
        ->check(fault)
        ->type_name("TIME");
}

void AdminSubcommands::take_certificate(CLI::App& command) {
    command
        .add_option("--x509-thumbprint", thumbprint_,
                    "It logs in with the certificate of this SHA-1 or SHA-256 (hex, colons allowed)")
        ->type_name("HEX");
    command.add_option("--x509-secondary", secondary_thumbprint_, "Or with this one; '' for none")->type_name("HEX");
    command
        .add_flag("--x509-ca", by_authority_,
                  "It logs in with a certificate of a CA in device_ca, whose common name is ID")
        ->excludes("--x509-thumbprint", "--x509-secondary");
}

void AdminSubcommands::take_output(CLI::App& command) {
    command.add_option("--output", output_, "Write the connection string to this new file, readable for you only")
        ->type_name("FILE");
}

void AdminSubcommands::take_key(CLI::App& command) {
    command.add_option("--key", key_, "The key to replace; the other one stays valid")
        ->check(CLI::IsMember({"primary", "secondary"}))
        ->required()
        ->type_name("primary|secondary");
}

void AdminSubcommands::take_json(CLI::App& command) {
    command.add_flag("--json", as_json_, "Print JSON");
}

}  // namespace device_streams::hub
