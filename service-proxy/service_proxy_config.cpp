#include "service-proxy/service_proxy_config.hpp"

#include "common/base/error.hpp"
#include "common/config/proxy_options.hpp"
#include "common/config/shared_options.hpp"
#include "common/config/suggestions.hpp"
#include "common/iothub/connection_string.hpp"
#include "common/text/decimal.hpp"
#include "common/tls/tls_handover.hpp"
#include "common/tunnel/stream_id.hpp"
#include "service-proxy/forward_spec.hpp"

#include <map>

namespace device_streams::service {

namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr auto forward_flag = "-L,--forward";
constexpr auto stdio_flag = "--stdio";

void check_connection_string(const Secret& text, const std::string& key, ParseContext& reading) {
    try {
        if (!iothub::parse_connection_string(text.reveal()).device_id.empty())
            reading.fault(key, "this is the connection string of a device, allowed: that of a service policy");
    } catch (const Failure& failure) {
        reading.fault(key, "malformed: " + failure.detail());
    }
}

ValueKind<std::string> identity_id() {
    return text("1 to 128 letters, digits and -:.+%_#*?!(),=@$'", iothub::is_valid_identity_id);
}

UserId parse_user(const RawValue& raw) {
    auto id = parse_decimal<UserId>(raw.text);
    if (const auto user = id ? std::nullopt : find_user(std::string(raw.text))) id = user->id;
    if (!id) throw BadValue(shown(raw.text) + " is no user of this machine");
    if (*id == unmapped_user) throw BadValue(shown(raw.text) + " stands for all users that are not known");
    return *id;
}

ValueKind<UserId> system_user() {
    return {.type = "user", .allowed = "name or number", .parse = parse_user, .print = [](UserId user) {
                return std::to_string(user);
            }};
}

OptionTable<Forward> forward_items() {
    OptionTable<Forward> items("forward", "One local address.");
    items.add({.key = "listen",
               .help = "Address to listen on; port 0 lets the system choose.",
               .example = "127.0.0.1:2222",
               .required = true},
              endpoint(EndpointUse::listen), &Forward::listen);
    items.add({.key = "device", .help = "Id of the device.", .example = "pump-17", .required = true}, identity_id(),
              &Forward::device);
    items.add({.key = "module",
               .help = "Id of the module, when a module of the device and not the device itself runs device-proxy.",
               .example = "tunnel",
               .optional_example = true},
              identity_id(), &Forward::module);
    items.add({.key = "service", .help = "Name of the service, as device-proxy's configuration has it."},
              text("1 to 64 letters, digits, - and _", is_valid_service_name), &Forward::service);
    items.add_values(
        {.key = "allow_users",
         .help = "Users of this machine whose programs may connect; nobody else may then, and a Unix "
                 "socket is open to all so that they can. Of TCP connections /proc/net/tcp tells the user, "
                 "so they must come from this machine.",
         .example = "[anna, ben]",
         .optional_example = true},
        system_user(), &Forward::allow_users);
    add_stream_limits(items, "", &Forward::limits);
    return items;
}

void add_forwards(OptionTable<ServiceProxyConfig>& table) {
    table.add_list(
        {.key = "forwards",
         .help = "Local addresses, and the service on a device that connections to each of them reach. At least one "
                 "is needed, unless -L or --stdio is given, which leave these alone."},
        forward_items(), &ServiceProxyConfig::forwards);
    table.add_flag(
        {.flag = forward_flag,
         .value = "[BIND:]PORT:DEVICE[/SERVICE]",
         .help = "Listen on PORT (of 127.0.0.1 unless BIND is given) for SERVICE (ssh unless given) of DEVICE, and "
                 "leave the forwards of the file alone; may be repeated",
         .repeatable = true,
         .type = "forward",
         .allowed = "[bind:]port:device[/service] or unix:path:device[/service]"},
        [](ServiceProxyConfig& config, const RawValue& raw) { config.typed_forwards.push_back(parse_forward(raw)); });
    table.add_flag({.flag = stdio_flag,
                    .value = "DEVICE[/SERVICE]",
                    .help = "Instead of listening, connect standard input and output to SERVICE (ssh unless given) of "
                            "DEVICE, as ssh's ProxyCommand wants it; forwards are left alone",
                    .type = "destination",
                    .allowed = "device[/service]"},
                   [](ServiceProxyConfig& config, const RawValue& raw) { config.stdio = parse_destination(raw); });
}

void add_timeouts(OptionTable<ServiceProxyConfig>& table) {
    table.section("timeouts", "Limits on the phases of opening a stream.");
    table.add({.key = "timeouts.hub",
               .help = "For TCP, for TLS, and for the hub's answer on top of what it may wait for the device."},
              duration<milliseconds>(100ms, 5min), member(&ServiceProxyConfig::open, &OpenLimits::hub));
    table.add({.key = "timeouts.connect",
               .help = "A device that is offline has this long to come online; sent to the hub in whole seconds."},
              duration<milliseconds>(0s, 10min), member(&ServiceProxyConfig::open, &OpenLimits::connect));
    table.add({.key = "timeouts.response",
               .help = "The device has this long to answer, in which it connects to its local service; sent to the hub "
                       "in whole seconds."},
              duration<milliseconds>(1s, 10min), member(&ServiceProxyConfig::open, &OpenLimits::response));
}

void check_forwards(ServiceProxyConfig& config, ParseContext& reading) {
    if (config.stdio) {
        if (reading.given(forward_flag)) reading.fault(stdio_flag, "given together with -L, allowed: one of the two");
        return;
    }
    const bool typed = reading.given(forward_flag);
    if (typed) config.forwards = config.typed_forwards;
    if (config.forwards.empty()) reading.fault("forwards", "empty or missing, allowed: at least one here or by -L");
    std::map<std::string, std::size_t> seen;
    for (std::size_t i = 0; i < config.forwards.size(); ++i) {
        const auto& listen = config.forwards[i].listen;
        if (!listen.is_unix() && listen.port == 0) continue;
        if (seen.emplace(listen.to_string(), i).second) continue;
        const auto key = typed ? forward_flag : "forwards[" + std::to_string(i) + "].listen";
        reading.fault(key, listen.to_string() + " is listened on twice, allowed: once");
    }
}

OptionTable<ServiceProxyConfig> make_table() {
    OptionTable<ServiceProxyConfig> table("service-proxy",
                                          "Makes services on remote devices reachable as local ports.");
    add_hub_options(table, "a service", check_connection_string);
    add_proxy_options(table);
    add_forwards(table);
    add_timeouts(table);
    add_liveness_options(table, &ServiceProxyConfig::liveness);
    add_streams_options(table, &ServiceProxyConfig::relay, &RelayLimits::stream);
    add_linger_option(table, &ServiceProxyConfig::relay, &RelayLimits::linger);
    add_run_options(table);
    add_user_options(table);
    add_tls_options(table);
    add_log_options(table);
    table.about(describe_tls);
    table.rule({"forwards", forward_flag, stdio_flag}, check_forwards);
    return table;
}

}  // namespace

const OptionTable<ServiceProxyConfig>& service_proxy_options() {
    static const auto table = make_table();
    return table;
}

}  // namespace device_streams::service
