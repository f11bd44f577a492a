#include "hub/admin/subcommands.hpp"

#include "hub/admin/command_text.hpp"

#include <CLI/CLI.hpp>

#include <map>

namespace device_streams::hub {

namespace {

const std::map<std::string, std::string> noun_help{
    {"device", "Devices and modules that may link to the hub"},
    {"policy", "Policies, the credentials of services"},
    {"streams", "Streams that run now"},
    {"devicestream", "Device streams as `az iot hub devicestream` has them"},
};

// Noun and verb; a command of one word has no noun.
std::pair<std::string, std::string> parts_of(const std::string& words) {
    const auto space = words.find(' ');
    return space == std::string::npos ? std::pair(std::string(), words)
                                      : std::pair(words.substr(0, space), words.substr(space + 1));
}

CLI::App& add_noun(CLI::App& app, const std::string& name) {
    auto& noun = *app.add_subcommand(name, noun_help.at(name));
    noun.require_subcommand(1);
    noun.fallthrough();
    return noun;
}

}  // namespace

AdminSubcommands::AdminSubcommands(CLI::App& app) {
    std::map<std::string, CLI::App*> nouns{{"", &app}};
    for (const auto& command : admin_commands()) {
        const auto [noun, verb] = parts_of(command.words);
        if (!nouns.contains(noun)) nouns[noun] = &add_noun(app, noun);
        add(*nouns[noun]->add_subcommand(verb, command.help), command);
    }
}

void AdminSubcommands::add(CLI::App& verb, const AdminCommand& command) {
    verb.fallthrough();
    for (const auto& take : command.options) take(verb, said_);
    verb.callback([this, &command] {
        command_ = &command;
        said_.request["command"] = command.words;
    });
}

std::string AdminSubcommands::text_of(const nlohmann::json& result) const {
    return said_.as_json ? print_json(result) : command_->print(result);
}

}  // namespace device_streams::hub
