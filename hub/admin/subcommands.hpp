#pragma once

#include <nlohmann/json.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace device_streams::hub {

/// The administrator's commands as subcommands of an app, and what was asked for once it has parsed. Keep it as long as
/// the app.
class AdminSubcommands {
 public:
    explicit AdminSubcommands(CLI::App& app);
    AdminSubcommands(const AdminSubcommands&) = delete;
    AdminSubcommands& operator=(const AdminSubcommands&) = delete;

    /// For AdminCommands; null when no such command was given.
    const nlohmann::json& request() const { return request_; }
    /// The file that a connection string goes to instead of standard output.
    const std::optional<std::string>& output() const { return output_; }
    /// What to print for the hub's answer.
    std::string text_of(const nlohmann::json& result) const { return print_(result); }

 private:
    using Print = std::function<std::string(const nlohmann::json&)>;
    CLI::App& add_noun(CLI::App& app, const std::string& name, const std::string& help);
    CLI::App& add_verb(CLI::App& noun, const std::string& name, const std::string& help, Print print);
    void add_device_commands(CLI::App& app);
    void add_policy_commands(CLI::App& app);
    void add_rule_commands(CLI::App& policy);
    void add_stream_commands(CLI::App& app);
    void add_reload_command(CLI::App& app);
    void add_quota_command(CLI::App& app);
    void make_command(CLI::App& verb, const std::string& command, Print print);
    void take_target(CLI::App& command);
    void take_policy(CLI::App& command);
    void take_permissions(CLI::App& command);
    void take_rule(CLI::App& command, const std::string& help);
    void take_question(CLI::App& command);
    void take_certificate(CLI::App& command);
    void take_output(CLI::App& command);
    void take_key(CLI::App& command);
    void take_json(CLI::App& command);
    nlohmann::json asked(const std::string& command) const;

    nlohmann::json request_;
    Print print_;
    // What CLI11 stores into while it parses.
    std::string device_, module_, policy_, key_, service_, at_;
    std::vector<std::string> allow_, rule_;
    std::vector<std::string> permissions_ = {"service-connect"};
    std::optional<std::string> thumbprint_, secondary_thumbprint_;
    bool by_authority_ = false, by_keys_ = false;
    std::optional<std::string> output_;
    bool as_json_ = false;
};

}  // namespace device_streams::hub
