#include "hub/admin/admin_commands.hpp"

#include <algorithm>

namespace device_streams::hub {

namespace {

using nlohmann::json;

json failure_answer(Errc code, const std::string& detail) {
    return {{"error", static_cast<int>(code)}, {"detail", detail}};
}

}  // namespace

const std::vector<AdminCommand>& admin_commands() {
    static const auto all = [] {
        auto commands = device_commands();
        for (auto& part : {policy_commands(), running_hub_commands()})
            commands.insert(commands.end(), part.begin(), part.end());
        return commands;
    }();
    return all;
}

asio::awaitable<json> AdminCommands::execute(json request) {
    auto answer = co_await answer_to(std::move(request));
    if (hub_.live.stopping && hub_.live.stopping()) answer["stopping"] = true;
    co_return answer;
}

asio::awaitable<json> AdminCommands::answer_to(json request) {
    try {
        const auto& command = command_of(request);
        json answer;
        answer["result"] = co_await command.run(hub_, std::move(request));
        if (command.tells == Tells::connections && !hub_.live.connected) answer["notRunning"] = true;
        co_return answer;
    } catch (const Failure& failure) {
        co_return failure_answer(failure.errc(), failure.detail());
    } catch (const json::exception&) {
        co_return failure_answer(Errc::usage, "a value of the request is missing or of the wrong type");
    }
}

// Refuses it before anything is changed when what it would print cannot be had later.
const AdminCommand& AdminCommands::command_of(const json& request) const {
    const auto words = request.at("command").get<std::string>();
    const auto command = std::ranges::find(admin_commands(), words, &AdminCommand::words);
    if (command == admin_commands().end())
        throw Failure(Errc::usage, "the hub does not know this command; is it of another version?");
    if (command->tells == Tells::facts && hub_.facts().host_name.empty())
        throw Failure(Errc::usage, "name the hub's configuration with -c: the answer needs the hub's host name");
    return *command;
}

json result_of(json answer) {
    if (const auto result = answer.find("result"); result != answer.end()) return std::move(*result);
    if (answer.is_object() && answer.contains("error"))
        throw Failure(static_cast<Errc>(answer.value("error", static_cast<int>(Errc::internal))),
                      answer.value("detail", std::string()));
    throw Failure(Errc::hub_not_running, "the admin socket's answer makes no sense");
}

}  // namespace device_streams::hub
