#pragma once

#include "hub/registry.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
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
    std::string name;            ///< of the stream, with its id
    std::string state;           ///< "pending" until both legs are there, then "running"
    std::uint64_t bytes_up = 0;  ///< device to service
    std::uint64_t bytes_down = 0;
    std::chrono::seconds age{0};
};

/// What only a running hub knows; empty functions where none runs. Called on the admin server's strands.
struct LiveView {
    std::function<asio::awaitable<std::vector<StreamInfo>>()> streams;
    std::function<asio::awaitable<bool>(iothub::Target)> connected;
};

/// The administrator's commands, as JSON objects in and out: {"command": "device add", "device": "pump-17"} gives
/// {"result": ...} or {"error": 609, "detail": "..."}. The same code serves a running hub's admin socket and a command
/// line that has opened the registry itself.
class AdminCommands {
 public:
    AdminCommands(Registry& registry, HubFacts facts, LiveView live = {});
    /// Never throws for what the request or the registry says: that is in the answer.
    asio::awaitable<nlohmann::json> execute(nlohmann::json request);

 private:
    asio::awaitable<nlohmann::json> dispatch(std::string command, nlohmann::json request);
    asio::awaitable<nlohmann::json> device_add(nlohmann::json request);
    asio::awaitable<nlohmann::json> device_list();
    asio::awaitable<nlohmann::json> device_show(nlohmann::json request);
    asio::awaitable<nlohmann::json> device_remove(nlohmann::json request);
    asio::awaitable<nlohmann::json> device_enable(nlohmann::json request, bool enabled);
    asio::awaitable<nlohmann::json> device_renew_key(nlohmann::json request);
    asio::awaitable<nlohmann::json> policy_add(nlohmann::json request);
    asio::awaitable<nlohmann::json> policy_list();
    asio::awaitable<nlohmann::json> policy_remove(nlohmann::json request);
    asio::awaitable<nlohmann::json> policy_renew_key(nlohmann::json request);
    asio::awaitable<nlohmann::json> streams_list();
    asio::awaitable<nlohmann::json> facts();

    Registry& registry_;
    HubFacts facts_;
    LiveView live_;
};

}  // namespace device_streams::hub
