#include "hub/admin/command_options.hpp"

#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "hub/identity/rule_time.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

namespace device_streams::hub {

namespace {

using nlohmann::json;

// What is empty says nothing.
std::function<void(const std::string&)> into(json& request, const char* key) {
    return [&request, key](const std::string& text) {
        if (!text.empty()) request[key] = text;
    };
}

struct PermissionName {
    std::string_view typed;
    std::string_view name;  // as Azure's registry has it
    bool Permissions::*permission;
};
constexpr std::array permission_names{
    PermissionName{"registry-read", "RegistryRead", &Permissions::registry_read},
    PermissionName{"registry-write", "RegistryWrite", &Permissions::registry_write},
    PermissionName{"service-connect", "ServiceConnect", &Permissions::service_connect},
    PermissionName{"device-connect", "DeviceConnect", &Permissions::device_connect},
};

std::string what_is_wrong_with_moment(const std::string& text) {
    try {
        parse_moment(text);
        return {};
    } catch (const Failure& failure) {
        return failure.detail();
    }
}

void take_words_of_rule(CLI::App& command, CommandLineRequest& said, const std::string& help) {
    const auto join = [&request = said.request](const std::vector<std::string>& words) {
        std::string rule;
        for (const auto& word : words) rule += (rule.empty() ? "" : " ") + word;
        request["rule"] = rule;
    };
    command.add_option_function<std::vector<std::string>>("RULE", join, help)
        ->required()
        ->expected(1, 64)
        ->type_name("");
}

}  // namespace

void take_target(CLI::App& command, CommandLineRequest& said) {
    const auto split = [&request = said.request](const std::string& id) {
        const auto slash = id.find('/');
        if (!id.empty()) request["device"] = id.substr(0, slash);
        if (slash != std::string::npos) request["module"] = id.substr(slash + 1);
    };
    command.add_option_function<std::string>("ID", split, "Device, or DEVICE/MODULE")->required()->type_name("");
    command.add_option_function<std::string>("--module", into(said.request, "module"), "Module of the device")
        ->type_name("ID");
}

iothub::Target target_of(const json& request) {
    return {request.at("device").get<std::string>(), request.value("module", std::string())};
}

void take_certificate(CLI::App& command, CommandLineRequest& said) {
    auto& request = said.request;
    command
        .add_option_function<std::string>(
            "--x509-thumbprint", [&request](const std::string& hex) { request["thumbprint"] = hex; },
            "It logs in with the certificate of this SHA-1 or SHA-256 (hex, colons allowed)")
        ->type_name("HEX");
    command
        .add_option_function<std::string>(
            "--x509-secondary", [&request](const std::string& hex) { request["secondaryThumbprint"] = hex; },
            "Or with this one; '' for none")
        ->type_name("HEX");
    command
        .add_flag_callback(
            "--x509-ca", [&request] { request["authority"] = true; },
            "It logs in with a certificate of a CA in device_ca, whose common name is ID")
        ->excludes("--x509-thumbprint", "--x509-secondary");
}

void take_new_keys(CLI::App& command, CommandLineRequest& said) {
    command
        .add_flag_callback(
            "--sas", [&request = said.request] { request["keys"] = true; }, "Two new keys instead of a certificate")
        ->excludes("--x509-thumbprint", "--x509-secondary", "--x509-ca");
}

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

void take_key(CLI::App& command, CommandLineRequest& said) {
    command
        .add_option_function<std::string>("--key", into(said.request, "key"),
                                          "The key to replace; the other one stays valid")
        ->check(CLI::IsMember({"primary", "secondary"}))
        ->required()
        ->type_name("primary|secondary");
}

WhichKey which_key(const json& request) {
    const auto key = request.value("key", std::string("primary"));
    if (key != "primary" && key != "secondary") throw Failure(Errc::usage, "keys are primary and secondary");
    return key == "secondary" ? WhichKey::secondary : WhichKey::primary;
}

void take_policy(CLI::App& command, CommandLineRequest& said) {
    command.add_option_function<std::string>("NAME", into(said.request, "name"), "Policy")->required()->type_name("");
}

std::string policy_of(const json& request) {
    return request.at("name").get<std::string>();
}

void take_permissions(CLI::App& command, CommandLineRequest& said) {
    static const auto names = [] {
        std::map<std::string, std::string> typed;
        for (const auto& row : permission_names) typed.emplace(row.typed, row.name);
        return typed;
    }();
    const auto translate = [&request = said.request](const std::vector<std::string>& words) {
        request["permissions"] = json::array();
        for (const auto& word : words) request["permissions"].push_back(names.at(word));
    };
    translate({"service-connect"});
    command
        .add_option_function<std::vector<std::string>>("--permission", translate,
                                                       "What its holder may do; may be given more than once")
        ->check(CLI::IsMember(names))
        ->type_name("WORD")
        ->type_size(1)
        ->default_str("[service-connect]");
}

Permissions permissions_of(const json& request) {
    Permissions permissions;
    for (const auto& name : request.at("permissions").get<std::vector<std::string>>()) {
        const auto row = std::ranges::find(permission_names, name, &PermissionName::name);
        if (row == permission_names.end())
            throw Failure(Errc::usage, "permissions are RegistryRead, RegistryWrite, ServiceConnect, DeviceConnect");
        permissions.*row->permission = true;
    }
    return permissions;
}

json names_of(const Permissions& permissions) {
    json names = json::array();
    for (const auto& row : permission_names)
        if (permissions.*row.permission) names.push_back(row.name);
    return names;
}

void take_rules(CLI::App& command, CommandLineRequest& said) {
    command
        .add_option_function<std::vector<std::string>>(
            "--allow", [&request = said.request](const std::vector<std::string>& rules) { request["allow"] = rules; },
            "A rule, as for `policy allow`; may be given more than once")
        ->type_name("RULE")
        ->type_size(1);
}

std::vector<AllowRule> rules_of(const json& request) {
    std::vector<AllowRule> rules;
    for (const auto& text : request.value("allow", std::vector<std::string>())) rules.push_back(parse_allow_rule(text));
    return rules;
}

void take_rule(CLI::App& command, CommandLineRequest& said) {
    take_words_of_rule(
        command, said,
        "DEVICE[/MODULE] SERVICES [DAYS] [HOURS] [ZONE] [from DATE] [until DATE], where DEVICE and MODULE may hold "
        "* and ? and SERVICES is a list or *: 'pump-* ssh,rdp mon-fri 08:00-18:00 UTC+01:00 until 2026-12-31'");
}

void take_rule_or_number(CLI::App& command, CommandLineRequest& said) {
    take_words_of_rule(command, said, "The rule's number or its text");
}

std::string rule_of(const json& request) {
    return request.at("rule").get<std::string>();
}

void take_service(CLI::App& command, CommandLineRequest& said) {
    auto& request = said.request;
    const auto ask_now = [&request](const std::string& service) {
        if (service.empty()) return;
        request["service"] = service;
        request["at"] = SystemClock().unix_seconds();
    };
    const auto ask_for = [&request](const std::string& moment) { request["at"] = parse_moment(moment); };
    command.add_option_function<std::string>("SERVICE", ask_now, "Service, as streams name it")
        ->required()
        ->type_name("");
    command
        .add_option_function<std::string>("--at", ask_for,
                                          "At this time instead of now: 2026-11-26T22:30Z or ...+01:00")
        ->check(what_is_wrong_with_moment)
        ->type_name("TIME");
}

std::string asked_service(const json& request) {
    return request.at("service").get<std::string>();
}

std::int64_t moment_of(const json& request) {
    constexpr std::int64_t year_10000 = 253'402'300'800;
    const auto& at = request.at("at");
    const auto seconds = at.is_number_integer() ? at.get<std::int64_t>() : -1;
    if (seconds < 0 || seconds >= year_10000)
        throw Failure(Errc::usage, "a time is the number of seconds since 1970, until the year 9999");
    return seconds;
}

void take_hub_name(CLI::App& command, CommandLineRequest&) {
    command
        .add_option_function<std::string>(
            "-n,--name", [](const std::string&) {}, "For scripts made for az; which hub is meant say the other options")
        ->type_name("NAME");
}

void take_output(CLI::App& command, CommandLineRequest& said) {
    command.add_option("--output", said.output, "Write the connection string to this new file, readable for you only")
        ->type_name("FILE");
}

void take_json(CLI::App& command, CommandLineRequest& said) {
    command.add_flag("--json", said.as_json, "Print JSON");
}

}  // namespace device_streams::hub
