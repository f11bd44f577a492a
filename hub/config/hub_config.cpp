#include "hub/config/hub_config.hpp"

#include "common/base/error.hpp"
#include "common/base/ip_network.hpp"
#include "common/config/secret_files.hpp"
#include "common/config/shared_options.hpp"
#include "common/config/suggestions.hpp"
#include "common/text/ascii.hpp"
#include "common/tls/tls_handover.hpp"
#include "hub/identity/device_certificate.hpp"

namespace device_streams::hub {

namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

bool is_hub_name(std::string_view name) {
    return !name.empty() && name.size() <= 50 && consists_of_alphanumerics_and(name, "-");
}

bool may_be_host(std::string_view name) {
    return !name.empty() && name.size() <= 253 && consists_of_alphanumerics_and(name, "-._");
}

// What the hub itself serves there could not be told from what is below the prefix.
bool begins_as_own_path(std::string_view prefix) {
    constexpr std::array own{"/twins", "/bridges", "/devices", "/healthz", "/livez"};
    const auto first = prefix.substr(0, prefix.find('/', 1));
    return std::ranges::find(own, first) != own.end();
}

ValueKind<PublicUrl> public_url() {
    const auto parse = [](const RawValue& raw) {
        auto rest = raw.text;
        const auto scheme_end = rest.find("://");
        const auto scheme = rest.substr(0, scheme_end);
        if (scheme_end == std::string_view::npos || (scheme != "https" && scheme != "wss"))
            throw BadValue(shown(raw.text) + " does not start with https:// or wss://");
        rest.remove_prefix(scheme_end + 3);
        if (rest.ends_with('/')) rest.remove_suffix(1);
        const auto authority = rest.substr(0, rest.find('/'));
        const auto path = rest.substr(authority.size());
        const auto address =
            authority.find(':') == std::string_view::npos ? std::string(authority) + ":443" : std::string(authority);
        const auto where = parse_endpoint(address);
        if (!where || where->is_unix() || where->port == 0 || !may_be_host(where->host))
            throw BadValue(shown(raw.text) + " has no host, or a port that is none");
        if (!path.empty() && !is_path_prefix(path)) throw BadValue(shown(raw.text) + " has a path that is no prefix");
        if (begins_as_own_path(path)) throw BadValue(shown(raw.text) + " begins with a path of the hub's own");
        return PublicUrl{where->host, where->port, std::string(path)};
    };
    return {
        .type = "URL", .allowed = "https://host[:port][/prefix]", .parse = parse, .print = [](const PublicUrl& url) {
            return url.to_string();
        }};
}

ValueKind<TrustedProxy> trusted_proxy() {
    const auto parse = [](const RawValue& raw) {
        const auto parsed = TrustedProxy::parse(raw.text);
        if (!parsed) throw BadValue(shown(raw.text) + " is no block of addresses");
        return *parsed;
    };
    return {.type = "network",
            .allowed = "an address, a block like 10.0.0.0/8, or unix",
            .parse = parse,
            .print = [](const TrustedProxy& proxy) { return proxy.to_string(); }};
}

void add_names(OptionTable<HubConfig>& table) {
    table.add({.key = "name",
               .help = "Name of the hub, as in the URLs and tokens of streams.",
               .example = "hub1",
               .required = true,
               .takes_restart = true},
              text("1 to 50 letters, digits and -", is_hub_name), &HubConfig::name);
    table.add(
        {.key = "public_url",
         .help = "Where clients reach this hub, as they are told for streams; the certificate must be for its host. "
                 "Below a prefix our proxies need hub.path_prefix, and other clients find nothing.",
         .example = "https://hub1.example.com:443",
         .required = true},
        public_url(), &HubConfig::public_url);
    table.add({.key = "host_name",
               .help = "HostName of connection strings, which access tokens name. Default: the host of public_url.",
               .example = "hub1.example.com",
               .optional_example = true},
              text("a host name", may_be_host), &HubConfig::host_name);
}

void add_places(OptionTable<HubConfig>& table) {
    table.add(
        {.key = "listen",
         .help = "Address of the TLS port for everything: REST, MQTT over WebSocket and streams. [::] takes IPv4 as "
                 "well.",
         .takes_restart = true},
        endpoint_or_off(), &HubConfig::listen);
    table.add({.key = "mqtt_listen",
               .help = "Address of a second TLS port for devices that speak MQTT without WebSocket.",
               .example = "[::]:8883",
               .optional_example = true,
               .takes_restart = true},
              endpoint(EndpointUse::listen), &HubConfig::mqtt_listen);
    table.add({.key = "listen_plain",
               .help = "Address of a port for the same without TLS, for a front end on this machine that has ended it: "
                       "loopback or a Unix socket. docs/reverse-proxies.md has configurations.",
               .example = "127.0.0.1:8080",
               .optional_example = true,
               .takes_restart = true},
              endpoint(EndpointUse::listen), &HubConfig::listen_plain);
    table.add({.key = "mss",
               .help = "Largest TCP segment (TCP_MAXSEG) of connections to these ports, in both directions. For paths "
                       "that swallow large packets without a word (DS-508). Default: the system's.",
               .example = "1200",
               .optional_example = true,
               .takes_restart = true},
              segment_size(), &HubConfig::mss);
    table.add_values(
        {.key = "trusted_proxies",
         .help = "Front ends that are believed whom they speak for, by the PROXY protocol (1 or 2, on every "
                 "port) or by X-Forwarded-For or Forwarded: addresses, blocks of them, or `unix` for all "
                 "Unix sockets. Each must send or overwrite one of these itself, or its clients could.",
         .example = "[127.0.0.1, 10.0.0.0/8]",
         .optional_example = true},
        trusted_proxy(), member(&HubConfig::limits, &HubLimits::connections, &ConnectionLimits::trusted_proxies));
}

void add_files(OptionTable<HubConfig>& table) {
    table.add({.key = "certificate",
               .help = "PEM file with the hub's certificate and the chain up to, but without, its root. Needed unless "
                       "listen is off.",
               .example = "hub.pem",
               .names_file = true},
              path(), &HubConfig::certificate);
    table.add({.key = "key",
               .help = "PEM file with the certificate's private key, readable for this program only.",
               .example = "hub.key",
               .names_file = true},
              path(), &HubConfig::key);
    table.add(
        {.key = "device_ca",
         .help = "PEM file with the CAs whose certificates devices may log in with; for devices that are added with "
                 "--x509-ca.",
         .example = "device-ca.pem",
         .optional_example = true,
         .names_file = true},
        path(), &HubConfig::device_ca);
    table.add({.key = "state_directory",
               .help = "Folder of the registry, which holds devices, modules and policies with their keys.",
               .example = "/var/lib/stream-hub",
               .required = true,
               .takes_restart = true},
              path(), &HubConfig::state_directory);
    table.add({.key = "admin_socket",
               .help = "Unix socket for stream-hub's own commands (device, policy ...). Default: admin.sock in "
                       "state_directory.",
               .example = "/run/stream-hub/admin.sock",
               .optional_example = true,
               .takes_restart = true},
              path(), &HubConfig::admin_socket);
    table.add(
        {.key = "resource_log",
         .help = "File that gets a JSON line for every stream request and its decision, every stream's end, and every "
                 "connect and disconnect of a device, in the shape of Azure IoT Hub's resource logs. SIGHUP opens it "
                 "afresh. Default: none.",
         .example = "/var/log/stream-hub/resource.log",
         .optional_example = true},
        path(), &HubConfig::resource_log);
    table.add(
        {.key = "resource_log_size",
         .help = "At this size the resource log is renamed to one with .1 behind its name, and begun afresh; five "
                 "older ones are kept. 0: never."},
        byte_count(), &HubConfig::resource_log_size);
}

// Of the limits that one part of the hub takes.
auto connections(auto limit) {
    return member(&HubConfig::limits, &HubLimits::connections, limit);
}
auto presence(auto limit) {
    return member(&HubConfig::limits, &HubLimits::presence, limit);
}
auto links(auto limit) {
    return member(&HubConfig::limits, &HubLimits::links, limit);
}
auto pairing(auto limit) {
    return member(&HubConfig::limits, &HubLimits::pairing, limit);
}

void add_limits(OptionTable<HubConfig>& table) {
    table.add({.key = "handshake_timeout",
               .help = "From the stream request until both sides have opened their leg; stream tokens live as long."},
              duration<milliseconds>(1s, 10min), pairing(&PairingLimits::handshake_timeout));
    table.add(
        {.key = "offline_grace",
         .help = "A device whose link dropped counts as online this long, so that its reconnecting goes unnoticed."},
        duration<milliseconds>(0s, 5min), presence(&PresenceLimits::offline_grace));
    add_liveness_options(table, &HubConfig::limits, &HubLimits::liveness);
    add_streams_options(table, &HubConfig::limits, &HubLimits::relay, &RelayLimits::stream);
    add_linger_option(table, &HubConfig::limits, &HubLimits::relay, &RelayLimits::linger);
    add_run_options(table);
    add_user_options(table);
    table.section("limits",
                  "What a connection may cost before anybody has logged in on it, and what devices "
                  "and policies may.");
    table.add({.key = "limits.tls_timeout", .help = "From accepting a connection until TLS is up."},
              duration<milliseconds>(100ms, 5min), connections(&ConnectionLimits::tls_timeout));
    table.add(
        {.key = "limits.head_timeout", .help = "From the first byte of a request, or of an MQTT login, to its end."},
        duration<milliseconds>(100ms, 5min), connections(&ConnectionLimits::head_timeout));
    table.add({.key = "limits.idle_timeout", .help = "A connection without a request is closed after this long."},
              duration<milliseconds>(1s, 1h), connections(&ConnectionLimits::idle_timeout));
    table.add(
        {.key = "limits.connections_per_address",
         .help =
             "Connections without a login that one address may have; for one more the oldest is closed. An IPv6 "
             "network of 64 bits counts as one address, one of 56 bits may have twice and one of 48 bits four times as "
             "many."},
        whole_number<std::size_t>(1, 1'000'000), connections(&ConnectionLimits::connections_per_address));
    table.add({.key = "limits.connections_without_login",
               .help = "Connections without a login that all addresses together may have."},
              whole_number<std::size_t>(1, 1'000'000), connections(&ConnectionLimits::connections_without_login));
    table.add(
        {.key = "limits.linked_devices",
         .help =
             "Devices and modules that may be linked at a time. The login of one more is answered with CONNACK 3, and "
             "it tries again later. 0: no limit."},
        whole_number<std::size_t>(0, 10'000'000), presence(&PresenceLimits::linked_devices));
    table.add(
        {.key = "limits.packets_per_second",
         .help = "MQTT packets that the hub takes from one device a second, and at once; the others wait. A packet "
                 "counts once for each KiB."},
        whole_number<unsigned>(10, 100'000), links(&LinkLimits::packets_per_second));
    table.add(
        {.key = "limits.pending_per_device",
         .help = "Stream requests to one device or module that may wait for its answer or for a leg; more are answered "
                 "with 429. The whole hub takes 20000."},
        whole_number<std::size_t>(1, 20'000), pairing(&PairingLimits::pending_per_device));
    table.add(
        {.key = "limits.pending_per_policy",
         .help = "Stream requests from the services of one policy that may wait like this; more are answered with 429, "
                 "so that one policy cannot take the room of all."},
        whole_number<std::size_t>(1, 20'000), pairing(&PairingLimits::pending_per_policy));
}

void complete_admin_socket(HubConfig& config, ParseContext& reading) {
    if (config.admin_socket.empty() && !config.state_directory.empty())
        config.admin_socket = (std::filesystem::path(config.state_directory) / "admin.sock").string();
    const bool possible = config.admin_socket.empty() || parse_endpoint("unix:" + config.admin_socket);
    if (!possible) reading.fault("admin_socket", "its path is too long for a Unix socket, allowed: 107 bytes");
}

void check_device_ca(HubConfig& config, ParseContext& reading) {
    if (config.device_ca.empty()) return;
    try {
        static_cast<void>(DeviceAuthorities(config.device_ca));
    } catch (const Failure& failure) {
        reading.fault("device_ca", failure.detail() + ", allowed: a PEM file of CA certificates");
    }
}

void check_certificate_file(const std::string& key, const std::string& path, const HubConfig& config,
                            ParseContext& reading) {
    if (path.empty() && config.needs_certificate())
        reading.fault(key, "missing, allowed: a file; without one only where listen is off");
    else
        require_readable(key, path, reading);
}

bool is_of_this_machine(const Endpoint& endpoint) {
    const auto address = parse_ip_address(endpoint.host);
    return endpoint.is_unix() || endpoint.host == "localhost" || (address && address->is_loopback());
}

bool collide(const std::optional<Endpoint>& one, const std::optional<Endpoint>& other) {
    return one && one == other && (one->is_unix() || one->port != 0);
}

void check_listeners(HubConfig& config, ParseContext& reading) {
    if (collide(config.mqtt_listen, config.listen))
        reading.fault("mqtt_listen", "the same as listen, allowed: another port");
    const auto& plain = config.listen_plain;
    if (!plain && !config.listen) reading.fault("listen", "off, and no listen_plain, allowed: one of them");
    if (!plain) return;
    if (!is_of_this_machine(*plain))
        reading.fault("listen_plain", plain->to_string() +
                                          " can be reached from elsewhere, where everybody on the way "
                                          "reads all, allowed: loopback or a Unix socket");
    if (collide(plain, config.listen) || collide(plain, config.mqtt_listen))
        reading.fault("listen_plain", "the same as another listener, allowed: another port");
}

OptionTable<HubConfig> make_table() {
    OptionTable<HubConfig> table("stream-hub", "Joins streams between services and the devices that are linked to it.");
    add_names(table);
    add_places(table);
    add_files(table);
    add_limits(table);
    add_quota_options(table);
    add_tls_options(table);
    add_log_options(table);
    table.about(describe_tls);
    table.rule({"host_name", "public_url"}, [](HubConfig& config, ParseContext&) {
        if (config.host_name.empty()) config.host_name = config.public_url.host;
    });
    table.rule({"admin_socket", "state_directory"}, complete_admin_socket);
    table.rule({"certificate"}, [](HubConfig& config, ParseContext& reading) {
        check_certificate_file("certificate", config.certificate, config, reading);
    });
    table.rule({"key"}, [](HubConfig& config, ParseContext& reading) {
        check_certificate_file("key", config.key, config, reading);
        if (!config.key.empty()) warn_if_others_can_read("key", config.key, reading);
    });
    table.rule({"device_ca"}, check_device_ca);
    table.rule({"listen", "mqtt_listen", "listen_plain"}, check_listeners);
    return table;
}

}  // namespace

std::string PublicUrl::to_string() const {
    return "https://" + host + ":" + std::to_string(port) + path;
}

const OptionTable<HubConfig>& hub_options() {
    static const auto table = make_table();
    return table;
}

}  // namespace device_streams::hub
