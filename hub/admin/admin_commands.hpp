#pragma once

#include "common/app/run.hpp"
#include "common/base/error.hpp"
#include "hub/admin/command_options.hpp"
#include "hub/identity/registry.hpp"
#include "hub/quota/stream_quota.hpp"
#include "hub/streams/bridge.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <string>
#include <vector>

namespace device_streams::hub {

/// What connection strings and `devicestream show` say about this hub.
struct HubFacts {
    std::string host_name;           ///< HostName
    std::string streaming_endpoint;  ///< https://host:port
};

/// What only a running hub knows; empty functions where none runs. Called on the admin server's strands.
struct LiveView {
    std::function<std::vector<RunningStream>()> streams;
    std::function<asio::awaitable<std::vector<iothub::Target>>()> connected;  ///< identities with a link
    std::function<bool()> stopping;                    ///< takes no new streams, and ends with those that run
    std::function<asio::awaitable<Changes>()> reload;  ///< as Environment::reload
    std::function<QuotaUse()> quota;
};

/// What commands work on.
struct AdministeredHub {
    Registry& registry;
    std::function<HubFacts()> facts;  ///< of the moment: a running hub may get new ones
    LiveView live = {};
};

/// What an answer tells beside what the registry holds.
enum class Tells {
    nothing_more,
    facts,        ///< of the hub: without them the command is not executed
    connections,  ///< who is connected: where no hub runs, the answer says that this is not known
};

/// One command of the administrator. Its row feeds the command line with its help, the documents, and the hub that
/// executes it; so a new command is a new row.
struct AdminCommand {
    std::string words;  ///< noun and verb, or one word: as typed, and as the request's "command"
    std::string help;
    std::vector<CommandOption> options;  ///< in the order of --help
    /// Returns the result. Throws Failure and, for a request of the wrong shape, nlohmann::json::exception.
    asio::awaitable<nlohmann::json> (*run)(AdministeredHub& hub, nlohmann::json request);
    std::string (*print)(const nlohmann::json& result);  ///< for people
    Tells tells = Tells::nothing_more;
};

/// The rows of all commands, those of a noun one after the other.
const std::vector<AdminCommand>& admin_commands();

// They are made of these.
std::vector<AdminCommand> device_commands();
std::vector<AdminCommand> policy_commands();
std::vector<AdminCommand> running_hub_commands();

/// Executes the administrator's commands, as JSON objects in and out: {"command": "device add", "device": "pump-17"}
/// gives {"result": ...} or {"error": 609, "detail": "..."}; a hub that is stopping adds "stopping": true, and what
/// cannot tell who is connected, "notRunning": true. The same
/// code serves a running hub's admin socket and a command line that has opened the registry itself.
class AdminCommands {
 public:
    explicit AdminCommands(AdministeredHub hub) : hub_(std::move(hub)) {}
    AdminCommands(Registry& registry, const HubFacts& facts, LiveView live = {})
        : hub_{registry, [facts] { return facts; }, std::move(live)} {}
    /// Never throws for what the request or the registry says: that is in the answer.
    asio::awaitable<nlohmann::json> execute(nlohmann::json request);

 private:
    asio::awaitable<nlohmann::json> answer_to(nlohmann::json request);
    const AdminCommand& command_of(const nlohmann::json& request) const;

    AdministeredHub hub_;
};

/// The request's answer, or the Failure that it holds, thrown.
nlohmann::json result_of(nlohmann::json answer);

}  // namespace device_streams::hub
