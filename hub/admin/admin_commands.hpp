#pragma once

#include "common/app/run.hpp"
#include "common/base/error.hpp"
#include "hub/identity/registry.hpp"
#include "hub/quota/stream_quota.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace device_streams::hub {

/// What connection strings and `devicestream show` say about this hub.
struct HubFacts {
    std::string host_name;           ///< HostName
    std::string streaming_endpoint;  ///< https://host:port
};

/// A running stream, as `streams list` shows it.
struct StreamInfo {
    iothub::Target target;
    std::string name;  ///< of the stream, with its id
    std::uint64_t bytes_to_service = 0;
    std::uint64_t bytes_to_device = 0;
    Clock::duration duration{};  ///< so far
};

/// What only a running hub knows; empty functions where none runs. Called on the admin server's strands.
struct LiveView {
    std::function<asio::awaitable<std::vector<StreamInfo>>()> streams;
    std::function<asio::awaitable<std::vector<iothub::Target>>()> connected;  ///< identities with a link
    std::function<bool()> stopping;                    ///< takes no new streams, and ends with those that run
    std::function<asio::awaitable<Changes>()> reload;  ///< as Environment::reload
    std::function<QuotaUse()> quota;
};

/// The administrator's commands, as JSON objects in and out: {"command": "device add", "device": "pump-17"} gives
/// {"result": ...} or {"error": 609, "detail": "..."}; a hub that is stopping adds "stopping": true. The same code
/// serves a running hub's admin socket and a command line that has opened the registry itself.
class AdminCommands {
 public:
    /// `facts` gives those of the moment: a running hub may get new ones.
    AdminCommands(Registry& registry, std::function<HubFacts()> facts, LiveView live);
    AdminCommands(Registry& registry, const HubFacts& facts, LiveView live = {})
        : AdminCommands(
              registry, [facts] { return facts; }, std::move(live)) {}
    /// Never throws for what the request or the registry says: that is in the answer.
    asio::awaitable<nlohmann::json> execute(nlohmann::json request);

 private:
    using Json = nlohmann::json;
    asio::awaitable<Json> answer_to(Json request);
    /// Throws Failure and, for a request of the wrong shape, nlohmann::json::exception.
    asio::awaitable<Json> dispatch(Json request);
    void require_facts(const std::string& command) const;
    asio::awaitable<Json> device(std::string verb, Json request);
    asio::awaitable<Json> update_device(iothub::Target target, Json request);
    asio::awaitable<Json> policy(std::string verb, Json request);
    asio::awaitable<Json> list_devices();
    asio::awaitable<Json> show_device(iothub::Target target);
    asio::awaitable<Json> list_policies();
    asio::awaitable<Json> change_rules(std::string verb, std::string name, Json request);
    asio::awaitable<Json> explain_policy(std::string name, Json request);
    asio::awaitable<Policy> found_policy(std::string name);
    asio::awaitable<Json> list_streams();
    asio::awaitable<Json> reload();
    Json quota() const;
    asio::awaitable<std::set<iothub::Target>> connected();
    Json described(const Identity& identity, const std::set<iothub::Target>& connected_now) const;
    Json with_connection_string(const Identity& identity, WhichKey which) const;
    Json with_connection_string(const Policy& policy, WhichKey which) const;

    Registry& registry_;
    std::function<HubFacts()> facts_;
    LiveView live_;
};

/// The request's answer, or the Failure that it holds, thrown.
nlohmann::json result_of(nlohmann::json answer);

}  // namespace device_streams::hub
