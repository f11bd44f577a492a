#pragma once

#include "common/base/exit_code.hpp"
#include "common/config/options.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

/// The front of every program: flags, --help and the configuration they lead to.
namespace device_streams {

/// What a command line led to.
template <typename Config>
struct LoadedConfig {
    std::optional<Config> config;  ///< nullopt: the program ends with exit_code, and everything has been printed
    std::vector<std::string> warnings = {};  ///< what works and is unwise, for the log
    std::optional<Failure> failure = {};     ///< what is wrong with the configuration
    int exit_code = exit_ok;
    ConfigSources sources;  ///< what it was read from, with the file's text
};

/// Parses argv with `app`; prints help, version or what is wrong, and then returns the program's exit code.
std::optional<int> parse_arguments(CLI::App& app, int argc, const char* const* argv);

/// Adds --version to an app; with --verbose it also prints `more`.
void add_version_flag(CLI::App& app, const std::function<std::string()>& more);

namespace detail {

/// The flags of one table in a CLI::App, and what was given.
class CommandLine {
 public:
    CommandLine(const TableInfo& table, CLI::App& app);
    ~CommandLine();

    ConfigSources sources() const;
    bool check_only() const;
    /// True when a document was asked for; it has been printed.
    bool print_documents(const TableInfo& table) const;

 private:
    struct Values;
    std::unique_ptr<Values> values_;  // CLI11 keeps references into it
};

void print_valid();
void print_warnings(const std::vector<std::string>& warnings);
int print_faults(const std::string& program, const Failure& failure);

}  // namespace detail

/// The flags of a table as part of an app or a subcommand: -c/--config, --check-config and every flag of the table.
/// Attach before parsing, load afterwards; keep it as long as the app.
template <typename Config>
class ConfigCommand {
 public:
    ConfigCommand(const OptionTable<Config>& table, CLI::App& app) : table_(table), line_(table.info(), app) {}

    /// The file of --config.
    std::optional<std::filesystem::path> file() const { return line_.sources().file; }

    /// The configuration, or the exit code after printing to standard output (documents, "configuration is valid") or
    /// standard error (all faults). `otherwise` is the file without --config; nullopt: none.
    LoadedConfig<Config> load(const std::optional<std::filesystem::path>& otherwise = std::nullopt) const {
        LoadedConfig<Config> loaded;
        if (line_.print_documents(table_.info())) return loaded;
        try {
            loaded.sources = line_.sources();
            if (!loaded.sources.file) loaded.sources.file = otherwise;
            loaded.sources = read_again(std::move(loaded.sources));
            Faults warnings;
            loaded.config = table_.load(loaded.sources, &warnings);
            loaded.warnings = warnings.lines();
        } catch (const Failure& failure) {
            loaded.failure = failure;
            loaded.exit_code = detail::print_faults(table_.info().program, failure);
            return loaded;
        }
        if (line_.check_only()) {
            detail::print_warnings(loaded.warnings);
            detail::print_valid();
            loaded.config.reset();
        }
        return loaded;
    }

 private:
    const OptionTable<Config>& table_;
    detail::CommandLine line_;
};

namespace detail {
/// Runs `load` once the command line of a program without subcommands is parsed; returns the exit code if it is not to
/// go on.
std::optional<int> parse_program(const TableInfo& table, int argc, const char* const* argv,
                                 const std::function<void(CLI::App&)>& attach);
}  // namespace detail

/// The whole front of a program without subcommands.
template <typename Config>
LoadedConfig<Config> load_config(int argc, const char* const* argv, const OptionTable<Config>& table) {
    std::optional<ConfigCommand<Config>> command;
    LoadedConfig<Config> loaded;
    const auto attach = [&](CLI::App& app) { command.emplace(table, app); };
    const auto ended = detail::parse_program(table.info(), argc, argv, attach);
    if (ended) {
        loaded.exit_code = *ended;
        return loaded;
    }
    return command->load();
}

}  // namespace device_streams
