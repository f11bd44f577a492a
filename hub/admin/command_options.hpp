#pragma once

#include "hub/identity/registry.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

/// What the administrator's commands take. Each option is on the command line, where it writes into the request, and
/// at the hub, which reads it there; both ends of a member of the request stand side by side.
namespace device_streams::hub {

/// What a command line has said.
struct CommandLineRequest {
    nlohmann::json request;             ///< for the hub
    std::optional<std::string> output;  ///< the file that a connection string goes to instead of standard output
    bool as_json = false;               ///< what is printed
};

/// Adds an option to a command; `said`, which it writes to while the command line is parsed, outlives the command.
using CommandOption = void (*)(CLI::App& command, CommandLineRequest& said);

// The readers throw Failure(usage), or nlohmann::json::exception for what is missing or of the wrong type.

void take_target(CLI::App& command, CommandLineRequest& said);
iothub::Target target_of(const nlohmann::json& request);

void take_certificate(CLI::App& command, CommandLineRequest& said);
void take_new_keys(CLI::App& command, CommandLineRequest& said);
/// What is asked for; where that says nothing, `present`.
Authentication authentication_of(const nlohmann::json& request, Authentication present);

void take_key(CLI::App& command, CommandLineRequest& said);
WhichKey which_key(const nlohmann::json& request);

void take_policy(CLI::App& command, CommandLineRequest& said);
std::string policy_of(const nlohmann::json& request);

void take_permissions(CLI::App& command, CommandLineRequest& said);
Permissions permissions_of(const nlohmann::json& request);
/// As permissions_of reads them.
nlohmann::json names_of(const Permissions& permissions);

/// Any number of rules.
void take_rules(CLI::App& command, CommandLineRequest& said);
std::vector<AllowRule> rules_of(const nlohmann::json& request);

/// One rule, or the number of one.
void take_rule(CLI::App& command, CommandLineRequest& said);
void take_rule_or_number(CLI::App& command, CommandLineRequest& said);
std::string rule_of(const nlohmann::json& request);

/// A local service, and when it is asked for.
void take_service(CLI::App& command, CommandLineRequest& said);
std::string asked_service(const nlohmann::json& request);
/// Seconds since 1970.
std::int64_t moment_of(const nlohmann::json& request);

// For the command line alone.
/// As Azure's tool has it. Nothing is done with it: a command speaks to one hub.
void take_hub_name(CLI::App& command, CommandLineRequest& said);
void take_output(CLI::App& command, CommandLineRequest& said);
void take_json(CLI::App& command, CommandLineRequest& said);

}  // namespace device_streams::hub
