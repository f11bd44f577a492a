#include "hub/admin/admin_commands.hpp"
#include "hub/admin/command_text.hpp"

#include <algorithm>
#include <set>

namespace device_streams::hub {

namespace {

using nlohmann::json;

json connection_string(const AdministeredHub& hub, const Identity& identity, WhichKey which = WhichKey::primary) {
    const auto& target = identity.target;
    const auto module = target.module_id.empty() ? "" : ";ModuleId=" + target.module_id;
    const auto* keys = identity.keys();
    const auto secret = keys ? ";SharedAccessKey=" + std::string(keys->of(which).reveal()) : ";x509=true";
    return connection_string_result(hub.facts().host_name, ";DeviceId=" + target.device_id + module + secret);
}

asio::awaitable<json> add_device(AdministeredHub& hub, json request) {
    const auto target = target_of(request);
    const auto added = co_await hub.registry.add(target, authentication_of(request, make_key_pair()));
    co_return connection_string(hub, added);
}

asio::awaitable<json> update_device(AdministeredHub& hub, json request) {
    const auto target = target_of(request);
    const auto present = co_await hub.registry.find(target);
    if (!present) throw Failure(Errc::not_found, target.to_string());
    auto wanted = authentication_of(request, present->authentication);
    if (wanted == present->authentication) co_return connection_string(hub, *present);
    const auto changed = co_await hub.registry.set_authentication(target, std::move(wanted));
    co_return connection_string(hub, changed);
}

asio::awaitable<json> renew_device_key(AdministeredHub& hub, json request) {
    const auto target = target_of(request);
    const auto which = which_key(request);
    const auto renewed = co_await hub.registry.renew_key(target, which);
    co_return connection_string(hub, renewed, which);
}

asio::awaitable<json> remove_device(AdministeredHub& hub, json request) {
    const auto target = target_of(request);
    co_await hub.registry.remove(target);
    co_return json::object();
}

asio::awaitable<json> disable_device(AdministeredHub& hub, json request) {
    const auto target = target_of(request);
    co_await hub.registry.set_enabled(target, false);
    co_return json::object();
}

asio::awaitable<json> enable_device(AdministeredHub& hub, json request) {
    const auto target = target_of(request);
    co_await hub.registry.set_enabled(target, true);
    co_return json::object();
}

// nullopt: no hub runs.
using Connected = std::optional<std::set<iothub::Target>>;

asio::awaitable<Connected> connected_now(const AdministeredHub& hub) {
    if (!hub.live.connected) co_return std::nullopt;
    const auto targets = co_await hub.live.connected();
    co_return std::set<iothub::Target>(targets.begin(), targets.end());
}

json described(const Identity& identity, const Connected& connected) {
    json row{{"device", identity.target.device_id},
             {"enabled", identity.enabled},
             {"created", identity.created},
             {"authentication", to_string(identity.authentication)}};
    if (const auto* thumbprints = std::get_if<Thumbprints>(&identity.authentication)) {
        row["primaryThumbprint"] = thumbprints->primary;
        row["secondaryThumbprint"] = thumbprints->secondary;
    }
    if (!identity.target.module_id.empty()) row["module"] = identity.target.module_id;
    if (connected) row["connected"] = connected->contains(identity.target);
    return row;
}

asio::awaitable<json> list_devices(AdministeredHub& hub, json) {
    const auto connected = co_await connected_now(hub);
    const auto identities = co_await hub.registry.list();
    json rows = json::array();
    for (const auto& identity : identities) rows.push_back(described(identity, connected));
    co_return rows;
}

std::string print_devices(const json& rows) {
    std::size_t width = 0;
    for (const auto& row : rows) width = std::max(width, identity_text(row).size());
    std::string text;
    for (const auto& row : rows) {
        text += padded(identity_text(row), width) + padded(row.at("enabled").get<bool>() ? "enabled" : "disabled", 8);
        if (row.contains("connected")) text += padded(row["connected"].get<bool>() ? "connected" : "-", 9);
        text += row.at("created").get<std::string>() + "\n";
    }
    return text;
}

asio::awaitable<json> show_device(AdministeredHub& hub, json request) {
    const auto target = target_of(request);
    const auto identity = co_await hub.registry.find(target);
    if (!identity) throw Failure(Errc::not_found, target.to_string());
    const auto connected = co_await connected_now(hub);
    co_return described(*identity, connected);
}

}  // namespace

std::vector<AdminCommand> device_commands() {
    return {
        {"device add",
         "Add a device or a module, and print its connection string",
         {take_target, take_certificate, take_output},
         add_device,
         print_connection_string,
         Tells::facts},
        {"device list", "List devices and modules", {take_json}, list_devices, print_devices, Tells::connections},
        {"device show",
         "Show a device or a module as JSON",
         {take_target},
         show_device,
         print_json,
         Tells::connections},
        {"device remove",
         "Remove a device and its modules, or a module; ends their links and streams",
         {take_target},
         remove_device,
         print_nothing},
        {"device disable",
         "Refuse a device its links until it is enabled again",
         {take_target},
         disable_device,
         print_nothing},
        {"device enable", "Admit a disabled device again", {take_target}, enable_device, print_nothing},
        {"device update",
         "Change what a device logs in with, and print its connection string; links and streams that rest on "
         "what is replaced end",
         {take_target, take_certificate, take_new_keys, take_output},
         update_device,
         print_connection_string,
         Tells::facts},
        {"device renew-key",
         "Replace one of the two keys, and print a connection string with it",
         {take_target, take_key, take_output},
         renew_device_key,
         print_connection_string,
         Tells::facts},
    };
}

}  // namespace device_streams::hub
