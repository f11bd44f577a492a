#include "common/config/command_line.hpp"

#include "common/base/error.hpp"
#include "common/base/version.hpp"
#include "common/config/reference.hpp"
#include "common/config/suggestions.hpp"
#include "common/text/ascii.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <iostream>
#include <sstream>

namespace device_streams {

namespace {

std::string description(const OptionInfo& option) {
    std::string facts = option.allowed;
    if (!option.default_text.empty()) facts += (facts.empty() ? "" : "; ") + ("default " + option.default_text);
    return option.help + (facts.empty() ? "" : " [" + facts + "]");
}

/// The flag that was probably meant by an argument nobody expected.
std::string suggest_flag(const CLI::App& app) {
    std::vector<std::string> flags;
    for (const auto* option : app.get_options()) {
        for (const auto& name : option->get_lnames()) flags.push_back("--" + name);
    }
    for (const auto& argument : app.remaining(true)) {
        const auto flag = argument.substr(0, argument.find('='));
        if (auto meant = flag.starts_with("--") ? nearest(flag, flags) : ""; !meant.empty()) return meant;
    }
    return {};
}

void print_usage_fault(const CLI::App& app, const std::string& message) {
    // A key that somebody tried to pass by a flag must not stand in a log as well.
    const auto text =
        looks_like_credential(message) ? "an argument looks like a credential, which has no flag" : message;
    const auto meant = suggest_flag(app);
    std::cerr << app.get_name() << ": " << text << (meant.empty() ? "" : "; did you mean " + meant + "?") << "\n"
              << "See " << app.get_name() << " --help.\n";
}

}  // namespace

std::optional<int> parse_arguments(CLI::App& app, int argc, const char* const* argv) {
    try {
        app.parse(argc, argv);
        return std::nullopt;
    } catch (const CLI::Success& asked) {  // help and version
        return app.exit(asked, std::cout, std::cerr);
    } catch (const CLI::ParseError& wrong) {
        print_usage_fault(app, wrong.what());
        return exit_usage;
    }
}

void add_version_flag(CLI::App& app, const std::function<std::string()>& more) {
    const auto* const verbose =
        app.add_flag("--verbose")->description("With --version: print also what is used for TLS");
    const std::function<std::string()> text = [name = app.get_name(), verbose, more] {
        const auto line = name + " " + version;
        return verbose->count() > 0 && more ? line + "\n" + more() : line;
    };
    app.set_version_flag("--version", text, "Print the version and exit");
}

namespace detail {

struct CommandLine::Values {
    std::string config_file;
    bool check = false;
    bool print_reference = false;
    bool print_example = false;
    bool print_errors = false;
    std::map<std::string, std::vector<std::string>> flags;
    std::map<std::string, std::string> environment;
};

CommandLine::CommandLine(const TableInfo& table, CLI::App& app) : values_(std::make_unique<Values>()) {
    app.add_option("-c,--config", values_->config_file, "YAML file with the configuration; flags win over it")
        ->type_name("FILE");
    app.add_flag("--check-config", values_->check, "Test the configuration and exit: 0 if it is valid, else 78");
    // Without a group they stay out of --help: they serve the documents of this project.
    app.add_flag("--print-config-reference", values_->print_reference)->group("");
    app.add_flag("--print-config-example", values_->print_example)->group("");
    app.add_flag("--print-error-reference", values_->print_errors)->group("");
    for (const auto* option : table.options) {
        for (const auto& name : option->environment) {
            const char* text = std::getenv(name.c_str());
            if (text != nullptr && *text != '\0') values_->environment[name] = text;
        }
        if (option->flag.empty()) continue;
        auto* flag = app.add_option(option->flag, values_->flags[option->flag], description(*option));
        flag->type_name(option->value.empty() ? upper_case(option->type) : option->value)->type_size(1)->expected(1);
        flag->allow_extra_args(false)->multi_option_policy(option->repeatable ? CLI::MultiOptionPolicy::TakeAll
                                                                              : CLI::MultiOptionPolicy::Throw);
    }
}

CommandLine::~CommandLine() = default;

ConfigSources CommandLine::sources() const {
    ConfigSources sources;
    if (!values_->config_file.empty()) sources.file = values_->config_file;
    for (const auto& [flag, given] : values_->flags) {
        if (!given.empty()) sources.flags[flag] = given;
    }
    sources.environment = values_->environment;
    return sources;
}

bool CommandLine::check_only() const {
    return values_->check;
}

bool CommandLine::print_documents(const TableInfo& table) const {
    if (values_->print_reference) std::cout << reference_markdown(table);
    if (values_->print_example) std::cout << example_yaml(table);
    if (values_->print_errors) std::cout << error_markdown();
    return values_->print_reference || values_->print_example || values_->print_errors;
}

void print_warnings(const std::vector<std::string>& warnings) {
    for (const auto& warning : warnings) std::cerr << "warning: " << warning << "\n";
}

void print_valid() {
    std::cout << "configuration is valid\n";
}

int print_faults(const std::string& program, const Failure& failure) {
    const auto& info = describe(failure.errc());
    const bool lines = failure.errc() == Errc::config_invalid || failure.errc() == Errc::usage;
    if (lines)
        std::cerr << failure.detail() << "\n"
                  << program << ": " << info.id << " " << info.summary << ". " << info.advice;
    else
        std::cerr << program << ": " << explain(failure);
    std::cerr << "\n";
    return exit_code_for(failure.errc());
}

std::optional<int> parse_program(const TableInfo& table, int argc, const char* const* argv,
                                 const std::function<void(CLI::App&)>& attach) {
    CLI::App app(table.summary, table.program);
    add_version_flag(app, table.about);
    attach(app);
    return parse_arguments(app, argc, argv);
}

}  // namespace detail

}  // namespace device_streams
