#include "hub/admin/admin_commands.hpp"
#include "hub/admin/command_text.hpp"
#include "hub/admin/quota_view.hpp"

namespace device_streams::hub {

namespace {

using nlohmann::json;

asio::awaitable<json> list_streams(AdministeredHub& hub, json) {
    if (!hub.live.streams) throw Failure(Errc::hub_not_running, "only a running hub has streams");
    json rows = json::array();
    for (const auto& running : hub.live.streams())
        rows.push_back({{"device", running.stream.target.device_id},
                        {"module", running.stream.target.module_id},
                        {"stream", running.stream.name},
                        {"bytes_to_device", running.bytes_to_device},
                        {"bytes_to_service", running.bytes_to_service},
                        {"duration_ms", whole_milliseconds(running.duration)}});
    co_return rows;
}

std::string print_streams(const json& rows) {
    std::string text;
    for (const auto& row : rows)
        text += identity_text(row) + "  " + row.at("stream").get<std::string>() + "  " +
                std::to_string(row.at("duration_ms").get<std::int64_t>() / 1000) + " s  " +
                std::to_string(row.at("bytes_to_device").get<std::uint64_t>()) + " bytes to device  " +
                std::to_string(row.at("bytes_to_service").get<std::uint64_t>()) + " bytes to service\n";
    return text;
}

// As Azure prints it.
std::string without_default_port(std::string url) {
    constexpr std::string_view default_port = ":443";
    if (url.ends_with(default_port)) url.resize(url.size() - default_port.size());
    return url;
}

asio::awaitable<json> show_endpoint(AdministeredHub& hub, json) {
    co_return json{{"streamingEndpoints", {without_default_port(hub.facts().streaming_endpoint)}}};
}

asio::awaitable<json> show_quota(AdministeredHub& hub, json) {
    if (!hub.live.quota) throw Failure(Errc::hub_not_running, "only a running hub counts streams");
    co_return to_json(hub.live.quota());
}

asio::awaitable<json> reload_config(AdministeredHub& hub, json) {
    if (!hub.live.reload) throw Failure(Errc::hub_not_running, "only a running hub has settings in use");
    const auto changes = co_await hub.live.reload();
    co_return json{{"changed", changes.used}, {"forRestart", changes.for_restart}};
}

std::string print_changes(const json& changes) {
    const auto changed = joined(changes.at("changed"), ", "), for_restart = joined(changes.at("forRestart"), ", ");
    std::string text = "changed: " + (changed.empty() ? "nothing" : changed) + "\n";
    if (!for_restart.empty()) text += "changed, but in use only after a restart: " + for_restart + "\n";
    return text;
}

}  // namespace

std::vector<AdminCommand> running_hub_commands() {
    return {
        {"streams list", "List streams", {take_json}, list_streams, print_streams},
        {"devicestream show",
         "Show the streaming endpoint as JSON",
         {take_hub_name},
         show_endpoint,
         print_json,
         Tells::facts},
        {"quota", "Show the limits of streams, and what is in use of them", {take_json}, show_quota, print_quota},
        {"reload",
         "Let the running hub read its configuration and the files that it names again, and say what changed",
         {take_json},
         reload_config,
         print_changes},
    };
}

}  // namespace device_streams::hub
