#include "device-proxy/device_proxy_config.hpp"

#include "common/base/error.hpp"
#include "common/config/proxy_options.hpp"
#include "common/config/secret_files.hpp"
#include "common/config/shared_options.hpp"
#include "common/config/suggestions.hpp"
#include "common/iothub/connection_string.hpp"
#include "common/text/ascii.hpp"
#include "common/tls/tls_handover.hpp"
#include "common/tunnel/stream_id.hpp"

namespace device_streams::device {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using namespace std::chrono_literals;

void check_connection_string(const Secret& text, const std::string& key, ParseContext& reading) {
    try {
        const auto identity = iothub::parse_connection_string(text.reveal());
        if (identity.device_id.empty())
            reading.fault(key, "this is the connection string of a service, allowed: that of a device or module");
    } catch (const Failure& failure) {
        reading.fault(key, "malformed: " + failure.detail());
    }
}

bool wants_certificate(const DeviceProxyConfig& config) {
    try {
        return iothub::parse_connection_string(config.hub.connection_string.reveal()).x509;
    } catch (const Failure&) {
        return false;  // said elsewhere
    }
}

void check_certificate(DeviceProxyConfig& config, ParseContext& reading) {
    auto& files = config.own_certificate;
    files.hub_ca = config.hub.ca_file;
    files.record_plane = config.tls.record_plane;
    if (!wants_certificate(config)) {
        if (!files.certificate.empty())
            reading.fault("hub.certificate", "not used, allowed: with x509=true in the connection string");
        return;
    }
    for (const auto& [key, path] : {std::pair("hub.certificate", &files.certificate), {"hub.key", &files.key}})
        if (path->empty()) reading.fault(key, "missing, allowed: a path (the connection string says x509=true)");
    if (files.certificate.empty() || files.key.empty()) return;
    warn_if_others_can_read("hub.key", files.key, reading);
    if (!files.key_passphrase_file.empty())
        warn_if_others_can_read("hub.key_passphrase_file", files.key_passphrase_file, reading);
    try {
        // Whether it is valid now is said when it is used: this machine's clock may be set later than this program
        // starts.
        static_cast<void>(OwnCertificate(files));
    } catch (const Failure& failure) {
        reading.fault("hub.certificate", failure.detail() + ", allowed: a PEM certificate with its key");
    }
}

ValueKind<LinkTransport> transport() {
    return choice<LinkTransport>({{"mqtt-ws", LinkTransport::mqtt_ws}, {"mqtt", LinkTransport::mqtt}});
}

ValueKind<std::string> service_name() {
    return text("name of 1 to 64 letters, digits, - and _", is_valid_service_name);
}

void add_certificate_options(OptionTable<DeviceProxyConfig>& table) {
    table.add({.key = "hub.certificate",
               .help = "PEM file with the certificate that this device logs in with, and its chain; needed when the "
                       "connection string says x509=true. A renewed one is taken for the next connection.",
               .example = "device.pem",
               .optional_example = true},
              path(), member(&DeviceProxyConfig::own_certificate, &OwnCertificate::Files::certificate));
    table.add({.key = "hub.key",
               .help = "PEM file with the certificate's private key, readable for this program only.",
               .example = "device.key",
               .optional_example = true},
              path(), member(&DeviceProxyConfig::own_certificate, &OwnCertificate::Files::key));
    table.add({.key = "hub.key_passphrase_file",
               .help = "File with the passphrase of hub.key in one line, when the key is encrypted.",
               .example = "device.pass",
               .optional_example = true},
              path(), member(&DeviceProxyConfig::own_certificate, &OwnCertificate::Files::key_passphrase_file));
    table.rule({"hub.connection_string", "hub.connection_string_file", "hub.certificate", "hub.key",
                "hub.key_passphrase_file"},
               check_certificate);
}

void add_link_options(OptionTable<DeviceProxyConfig>& table) {
    table.add({.key = "hub.transport",
               .help = "How the control link travels: MQTT over WebSocket on hub.port, which passes most firewalls, or "
                       "MQTT over TLS on hub.mqtt_port."},
              transport(), member(&DeviceProxyConfig::link, &LinkSettings::transport));
    table.add({.key = "hub.mqtt_port", .help = "The hub's port for MQTT over TLS; used with transport mqtt only."},
              port(), &DeviceProxyConfig::mqtt_port);
    table.add(
        {.key = "hub.keep_alive",
         .help = "MQTT keep-alive: the control link is never silent for longer, and a dead hub is noticed after at "
                 "most one and a half of it."},
        duration<seconds>(5s, 1177s), member(&DeviceProxyConfig::link, &LinkSettings::keep_alive));
}

ValueKind<std::string> policy_name() {
    return text("name of a policy at the hub",
                [](std::string_view name) { return name.size() <= 64 && consists_of_alphanumerics_and(name, "-_."); });
}

OptionTable<ServiceSettings> service_items() {
    OptionTable<ServiceSettings> items("service", "One local service.");
    items.add({.key = "address", .help = "Where it is.", .example = "localhost:22", .required = true},
              endpoint(EndpointUse::connect), &ServiceSettings::address);
    add_stream_limits(items, "", &ServiceSettings::limits);
    items.add_values(
        {.key = "allow_from",
         .help = "Policies of the hub whose services alone may reach it. A hub that names no policies, as Azure's, "
                 "cannot reach it at all then."},
        policy_name(), &ServiceSettings::allow_from);
    return items;
}

void add_services(OptionTable<DeviceProxyConfig>& table) {
    table.add_map(
        {.key = "services",
         .help = "What streams may reach from here: names, and the address behind each, or a map of the address, "
                 "limits that are stricter than those of all streams, and the only policies of the hub that may reach "
                 "it (allow_from). At least one is needed; nothing else is reachable.",
         .example = "ssh: localhost:22\nrdp: 192.168.7.20:3389\nconsole:\n  address: unix:/run/console.sock\n"
                    "  idle_timeout: 30m\n  max_lifetime: 12h\n  stall_timeout: 5m\n  allow_from: [ops, night-shift]"},
        service_name(), service_items(), "address", &DeviceProxyConfig::services);
    table.add(
        {.key = "default_service",
         .help = "The service for streams whose name says nothing about a service, as the samples of Azure send "
                 "them (TestStream). Without it they are refused. Only for hubs that name no policies, as Azure's: "
                 "a policy was allowed what the name says, and reaches nothing else.",
         .example = "ssh",
         .optional_example = true},
        service_name(), &DeviceProxyConfig::default_service);
}

void add_timeouts(OptionTable<DeviceProxyConfig>& table) {
    table.section("timeouts", "Limits on the phases of opening connections.");
    table.add(
        {.key = "timeouts.hub", .help = "For TCP, TLS and the login of the control link, and for each stream's leg."},
        duration<milliseconds>(100ms, 5min), member(&DeviceProxyConfig::link, &LinkSettings::hub, &HubAccess::timeout));
    table.add(
        {.key = "timeouts.local", .help = "For connecting to a local service; a stream is accepted only after that."},
        duration<milliseconds>(100ms, 1min), member(&DeviceProxyConfig::streams, &StreamSettings::local_timeout));
    table.section("reconnect", "Waits between tries to reach the hub: random, with a ceiling that doubles each time.");
    table.add({.key = "reconnect.first", .help = "The first ceiling."}, duration<milliseconds>(10ms, 1min),
              member(&DeviceProxyConfig::link, &LinkSettings::backoff, &Backoff::Limits::first));
    table.add({.key = "reconnect.longest", .help = "The ceiling does not grow beyond this."},
              duration<milliseconds>(100ms, 1h),
              member(&DeviceProxyConfig::link, &LinkSettings::backoff, &Backoff::Limits::longest));
}

void check_services(DeviceProxyConfig& config, ParseContext& reading) {
    if (config.services.empty())
        return reading.fault("services", "empty or missing, allowed: at least one name: host:port or name: unix:path");
    if (!config.default_service || config.services.contains(*config.default_service)) return;
    std::vector<std::string> names;
    for (const auto& [name, address] : config.services) names.push_back(name);
    reading.fault("default_service",
                  "\"" + *config.default_service + "\" is not one of the services, allowed: " + listed(names));
}

void check_reconnect(DeviceProxyConfig& config, ParseContext& reading) {
    const auto& reconnect = config.link.backoff;
    if (reconnect.longest >= reconnect.first) return;
    reading.fault("reconnect.longest", "shorter than reconnect.first, allowed: at least " +
                                           to_string(std::chrono::duration_cast<milliseconds>(reconnect.first)));
}

OptionTable<DeviceProxyConfig> make_table() {
    OptionTable<DeviceProxyConfig> table("device-proxy", "Makes local services of a device reachable through the hub.");
    add_hub_options(table, "a device", check_connection_string);
    add_proxy_options(table);
    add_certificate_options(table);
    add_link_options(table);
    add_services(table);
    add_timeouts(table);
    add_liveness_options(table, &DeviceProxyConfig::link, &LinkSettings::hub, &HubAccess::liveness);
    add_streams_options(table, &DeviceProxyConfig::streams, &StreamSettings::relay, &RelayLimits::stream);
    add_linger_option(table, &DeviceProxyConfig::streams, &StreamSettings::relay, &RelayLimits::linger);
    add_run_options(table);
    add_user_options(table);
    add_tls_options(table);
    add_log_options(table);
    table.about(describe_tls);
    table.rule({"services", "default_service"}, check_services);
    table.rule({"reconnect.first", "reconnect.longest"}, check_reconnect);
    return table;
}

}  // namespace

const OptionTable<DeviceProxyConfig>& device_proxy_options() {
    static const auto table = make_table();
    return table;
}

}  // namespace device_streams::device
