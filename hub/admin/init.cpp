#include "hub/admin/init.hpp"

#include "common/app/private_files.hpp"
#include "common/async/block_on.hpp"
#include "common/base/error.hpp"
#include "common/base/random.hpp"
#include "common/text/ascii.hpp"
#include "hub/admin/admin_commands.hpp"
#include "hub/admin/certificates.hpp"
#include "hub/admin/state_directory.hpp"
#include "hub/registry/sqlite_registry.hpp"

#include <algorithm>
#include <vector>

namespace device_streams::hub {

namespace {

void check(const InitOptions& options) {
    if (options.name.empty() || options.name.size() > 50 || !consists_of_alphanumerics_and(options.name, "-"))
        throw Failure(Errc::usage, "--name: 1 to 50 of A-Z a-z 0-9 -");
    if (options.port == 0) throw Failure(Errc::usage, "--port: 1 to 65535");
    if (options.host.find(':') != std::string::npos)
        throw Failure(Errc::usage, "--host: a host name or an IPv4 address (clients cannot use IPv6 literals)");
}

constexpr std::string_view config_template =
    R"(# Configuration of this stream-hub, made by `stream-hub init`. Relative paths start from this file's folder.
# Further keys, with their defaults and units: configs/stream-hub.yaml of the distribution.

# In the URLs and tokens of streams.
name: {NAME}

# TLS: REST, MQTT over WebSocket and streams.
listen: "[::]:{PORT}"

# TLS: MQTT without WebSocket, for devices that insist on it.
# mqtt_listen: "[::]:8883"

# What devices and services are told to connect to; its host is HostName in all connection strings.
public_url: https://{HOST}:{PORT}

# The server's certificate for that host, and its key. This one comes from a CA of its own: give hub-ca.pem to the
# proxies (hub.ca_file), or put a certificate of a public CA here.
certificate: hub.pem
key: hub.key

# Devices, modules and policies (registry.db), and the socket of `stream-hub device add` and the like.
state_directory: state
)";

constexpr std::string_view description_template =
    R"(Made the hub "{NAME}" for {HOST}:{PORT} in {DIR}:
  stream-hub.yaml         its configuration
  hub-ca.pem              the CA that proxies must trust (hub.ca_file); not secret
  service.cs              connection string of the policy `service`, which may reach all devices; secret
  hub.pem                 the server's certificate
  hub.key, hub-ca.key     private keys; secret
  state                   devices, modules and policies; secret
Next:
  stream-hub -c {DIR}/stream-hub.yaml
  stream-hub -c {DIR}/stream-hub.yaml device add DEVICE --output DEVICE.cs
)";

std::string filled(std::string_view form, const InitOptions& options) {
    const std::pair<std::string_view, std::string> values[] = {{"{NAME}", options.name},
                                                               {"{HOST}", options.host},
                                                               {"{PORT}", std::to_string(options.port)},
                                                               {"{DIR}", options.directory.string()}};
    std::string text(form);
    for (const auto& [field, value] : values)
        for (auto at = text.find(field); at != std::string::npos; at = text.find(field, at + value.size()))
            text.replace(at, field.size(), value);
    return text;
}

// The hub's host first: it is what the certificate is for. The rest lets a person try the hub where it runs.
std::vector<std::string> certificate_names(const InitOptions& options) {
    std::vector<std::string> names{options.host};
    for (const char* local : {"localhost", "127.0.0.1", "::1"})
        if (std::ranges::find(names, local) == names.end()) names.emplace_back(local);
    return names;
}

void make_registry(const InitOptions& options, const StateDirectory& state, Clock& clock) {
    SqliteRegistry registry(state.registry_file(), SqliteRegistry::Mode::create_new, clock);
    AdminCommands commands(registry, {options.host, {}});
    nlohmann::json request{{"command", "policy add"}, {"name", "service"}};
    request["permissions"] = {"ServiceConnect"};
    request["allow"] = {"* *"};
    const auto result = result_of(block_on(commands.execute(std::move(request))));
    write_private_file(options.directory / "service.cs", result.at("connectionString").get<std::string>() + "\n");
}

// What belongs beside the certificate of the CA.
void fill(const InitOptions& options, const CertifiedKey& authority, const CertifiedKey& server, Clock& clock) {
    const auto& directory = options.directory;
    const StateDirectory state{directory / "state"};
    write_private_file(directory / "hub-ca.key", authority.key.reveal());
    write_private_file(directory / "hub.pem", server.certificate);
    write_private_file(directory / "hub.key", server.key.reveal());
    make_private_directory(state.path);
    make_registry(options, state, clock);
    write_private_file(state.lock_file(), "");
    // Last, so that where there is a configuration there is a whole hub.
    write_private_file(directory / "stream-hub.yaml", filled(config_template, options));
}

}  // namespace

void init_hub(const InitOptions& options, Clock& clock) {
    check(options);
    // The random part tells the CAs of hubs of one name apart: clients look for an issuer by its name.
    const auto authority = make_authority(options.name + " CA " + random_hex(4), clock.wall_now());
    const auto server = issue_server_certificate(authority, certificate_names(options), clock.wall_now());
    make_private_directory(options.directory);
    // Whoever makes this file has the directory: another init that saw it empty as well fails here and leaves all
    // alone.
    write_private_file(options.directory / "hub-ca.pem", authority.certificate);
    try {
        fill(options, authority, server, clock);
    } catch (...) {
        std::error_code ignored;
        std::filesystem::remove_all(options.directory, ignored);
        throw;
    }
}

std::string describe_new_hub(const InitOptions& options) {
    auto text = filled(description_template, options);
    if (options.host.find('.') == std::string::npos)
        text +=
            filled("Note: devices with the Azure C SDK need a host name with a dot, and {HOST} has none.\n", options);
    return text;
}

}  // namespace device_streams::hub
