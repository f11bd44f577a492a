#include "common/config/reference.hpp"

#include "common/base/error.hpp"
#include "common/base/exit_code.hpp"
#include "common/config/suggestions.hpp"
#include "common/text/ascii.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <sstream>

namespace device_streams {

namespace {

constexpr std::size_t comment_width = 100;

/// A scalar as YAML: in quotes where plain text would mean something else.
std::string yaml_scalar(const std::string& text) {
    const bool plain =
        !text.empty() && std::string_view("[]{}&*!|>'\"%@`#,?:- ").find(text.front()) == std::string_view::npos &&
        text.find(": ") == std::string::npos && text.find(" #") == std::string::npos && text.back() != ':';
    return plain ? text : '"' + text + '"';
}

std::string environment_note(const OptionInfo& option) {
    return option.environment.empty() ? "" : " From the environment: " + listed(option.environment) + ".";
}

class ExampleWriter {
 public:
    explicit ExampleWriter(const TableInfo& table) : table_(table) {}

    std::string write() {
        comment("",
                "Configuration of " + table_.program + ": " + table_.summary +
                    " Every key stands here with its default or an example; keys that are commented out are not set.");
        std::string section;
        for (const auto* option : table_.options) {
            if (option->key.empty()) continue;
            const auto dot = option->key.rfind('.');
            const auto parent = dot == std::string::npos ? "" : option->key.substr(0, dot);
            out_ += '\n';
            begin_sections(parent, section);
            section = parent;
            write_option(*option, option->key.substr(parent.empty() ? 0 : dot + 1), indent_of(option->key));
        }
        return out_;
    }

 private:
    /// Two blanks for each section around a key.
    static std::string indent_of(const std::string& key) {
        return std::string(2 * static_cast<std::size_t>(std::ranges::count(key, '.')), ' ');
    }

    /// `key` and the sections around it, but for those that are open: `open` and the sections around that.
    void begin_sections(const std::string& key, const std::string& open) {
        for (std::size_t at = 0; at < key.size();) {
            const auto end = std::min(key.find('.', at), key.size());
            const auto section = key.substr(0, end);
            if (!(open + ".").starts_with(section + ".")) begin_section(section, key.substr(at, end - at));
            at = end + 1;
        }
    }

    void begin_section(const std::string& key, const std::string& name) {
        const auto section = std::ranges::find(table_.sections, key, [](const auto& row) { return row.first; });
        const auto indent = indent_of(key);
        if (section != table_.sections.end()) comment(indent, section->second);
        out_ += indent + name + ":\n";
    }

    void comment(const std::string& indent, const std::string& text) {
        for (const auto& line : wrapped(text, comment_width)) out_ += indent + "# " + line + "\n";
    }

    static std::string facts(const OptionInfo& option) {
        auto text = expectation(option) + ".";
        if (!option.default_text.empty()) text += " Default: " + option.default_text + ".";
        if (option.required) text += " Required.";
        text += environment_note(option);
        text.front() = to_upper(text.front());
        return text;
    }

    void write_option(const OptionInfo& option, const std::string& key, const std::string& indent) {
        comment(indent, option.help);
        comment(indent, facts(option));
        const bool block = option.type == "map" || option.type == "list";
        if (block && option.optional_example) {
            out_ += indent + "#" + key + ": " + option.example + "\n";
        } else if (block) {
            out_ += indent + key + ":\n";
            block_lines(option, indent + "  ");
        } else {
            const auto& value = option.example.empty() ? option.default_text : option.example;
            out_ += indent + (option.optional_example ? "#" : "") + key + ": " + yaml_scalar(value) + "\n";
        }
    }

    void block_lines(const OptionInfo& option, const std::string& indent) {
        std::istringstream lines(option.example);
        for (std::string line; std::getline(lines, line);) out_ += indent + line + "\n";
        if (!option.example.empty()) return;
        std::string dash = "-\n";  // alone, so that comments can follow
        for (const auto& item : option.items) {
            if (!dash.empty()) out_ += indent + dash;
            dash.clear();
            write_option(item, item.key, indent + "  ");
        }
    }

    const TableInfo& table_;
    std::string out_;
};

std::string cell(std::string text) {
    for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, "\\");
    return text;
}

std::string code(const std::string& text) {
    return text.empty() ? "" : "`" + text + "`";
}

void add_row(std::string& out, const OptionInfo& option, const std::string& prefix) {
    const auto key = option.key.empty() ? "" : prefix + option.key;
    out += "| " + code(key) + " | " + code(option.flag) + " | " + cell(expectation(option)) + " | " +
           (option.required ? "required" : code(option.default_text)) + " | " + cell(option.help) +
           environment_note(option) + (option.takes_restart ? " A change takes a restart." : "") + " |\n";
    const auto each = option.type == "map" ? ".NAME." : "[].";
    for (const auto& item : option.items) add_row(out, item, key + each);
}

void add_commands(std::string& out, const CLI::App& app, const std::string& path) {
    for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
        const auto words = path + command->get_name();
        std::string arguments;
        for (const auto* option : command->get_options()) {
            if (option == command->get_help_ptr()) continue;
            auto text = option->get_name(option->get_positional());
            const bool takes_value = !option->get_positional() && option->get_expected_min() > 0;
            const auto type = option->get_type_name();
            if (takes_value) text += " " + type.substr(0, type.find(':'));  // behind it, CLI11 lists the values again
            arguments += " " + (option->get_required() ? text : "[" + text + "]");
        }
        if (command->get_subcommands([](const CLI::App*) { return true; }).empty())
            out += "| " + code(words + arguments) + " | " + cell(command->get_description()) + " |\n";
        add_commands(out, *command, words + " ");
    }
}

}  // namespace

std::string example_yaml(const TableInfo& table) {
    return ExampleWriter(table).write();
}

std::string reference_markdown(const TableInfo& table) {
    std::string out = "## " + table.program + "\n\n" + table.summary + "\n\n";
    out += "| Key | Flag | Value | Default | Meaning |\n|---|---|---|---|---|\n";
    for (const auto* option : table.options) add_row(out, *option, "");
    return out;
}

std::string command_markdown(const CLI::App& app) {
    std::string rows;
    add_commands(rows, app, app.get_name() + " ");
    if (rows.empty()) return rows;
    return "| Command | What it does |\n|---|---|\n" + rows;
}

std::string error_markdown() {
    std::string out = "| Code | What it says | What to do | Exit code |\n|---|---|---|---|\n";
    for (const auto& row : error_table()) {
        out += "| " + code(std::string(row.id)) + " | " + cell(std::string(row.summary)) + " | " +
               cell(std::string(row.advice)) + " | " + std::to_string(exit_code_for(row.code)) + " |\n";
    }
    return out;
}

}  // namespace device_streams
