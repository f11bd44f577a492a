#pragma once

#include "hub/admin/admin_commands.hpp"

#include <optional>
#include <string>

namespace device_streams::hub {

/// The administrator's commands as subcommands of an app, and what was asked for once it has parsed. Keep it as long as
/// the app.
class AdminSubcommands {
 public:
    explicit AdminSubcommands(CLI::App& app);
    AdminSubcommands(const AdminSubcommands&) = delete;
    AdminSubcommands& operator=(const AdminSubcommands&) = delete;

    /// False when no such command was given.
    bool given() const { return command_ != nullptr; }
    /// For AdminCommands.
    const nlohmann::json& request() const { return said_.request; }
    /// The file that a connection string goes to instead of standard output.
    const std::optional<std::string>& output() const { return said_.output; }
    /// What to print for the hub's answer.
    std::string text_of(const nlohmann::json& result) const;

 private:
    void add(CLI::App& verb, const AdminCommand& command);

    const AdminCommand* command_ = nullptr;
    CommandLineRequest said_;
};

}  // namespace device_streams::hub
