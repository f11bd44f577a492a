#include "common/base/error.hpp"

#include <asio/error.hpp>

#include <algorithm>
#include <array>

namespace device_streams {

namespace {

constexpr std::array table{
    ErrorInfo{Errc::config_invalid, "DS-101", "the configuration has faults",
              "Correct the places named above and start again; --check-config tests a file without starting."},
    ErrorInfo{Errc::file_unreadable, "DS-102", "a file cannot be read",
              "Check the path and that the user running the program may read it."},
    ErrorInfo{Errc::credential_malformed, "DS-103", "a credential is malformed",
              "Copy the whole connection string again, from HostName= to the end of the key."},
    ErrorInfo{Errc::certificate_unusable, "DS-104", "a certificate or key cannot be used",
              "Check that the files are PEM, belong together and have not expired."},
    ErrorInfo{Errc::listen_failed, "DS-105", "cannot listen",
              "Choose another address or port, or stop the program that holds it (ss -ltnp shows which)."},
    ErrorInfo{Errc::state_unusable, "DS-106", "the state directory cannot be used",
              "Check its path and owner, and that no other program uses it."},
    ErrorInfo{Errc::usage, "DS-107", "the command line is wrong", "See --help."},
    ErrorInfo{Errc::disk_full, "DS-108", "the disk is full",
              "Free some space and try again; what was there before is unharmed."},
    ErrorInfo{
        Errc::log_unwritable, "DS-109", "the log cannot be written",
        "Check log.file, which is no symbolic link, and its folder, owner and free space, or /dev/log for log.target: "
        "syslog; the lines come here meanwhile."},
    ErrorInfo{Errc::hub_unreachable, "DS-201", "the hub cannot be reached",
              "Check that the hub runs, that hub.address and hub.port are its own, and that outbound TCP is allowed."},
    ErrorInfo{Errc::hub_name_unknown, "DS-202", "the hub's name cannot be resolved",
              "Check HostName in the connection string and this machine's DNS, or set hub.address."},
    ErrorInfo{Errc::hub_untrusted, "DS-203", "the hub's certificate is not trusted",
              "Set hub.ca_file to the hub's CA, and check HostName and this machine's date."},
    ErrorInfo{Errc::hub_tls_failed, "DS-204", "TLS with the hub failed",
              "Check that hub.port is the hub's TLS port and that nothing in between intercepts it."},
    ErrorInfo{Errc::hub_timeout, "DS-205", "the hub did not answer in time",
              "Usually a firewall drops what goes there: have outbound TCP to it allowed, or set hub.http_proxy where "
              "everything must go through a proxy; else check the hub's load."},
    ErrorInfo{Errc::hub_protocol, "DS-206", "the hub answered with something unexpected",
              "Check that HostName and hub.port name a stream hub and not another server."},
    ErrorInfo{
        Errc::hub_refused_login, "DS-207", "the hub refused the credential",
        "Check that the device exists in the hub, that its key or certificate is the registered one and that this "
        "machine's date is right."},
    ErrorInfo{Errc::hub_busy, "DS-208", "the hub is not taking logins now", "It is tried again by itself."},
    ErrorInfo{Errc::hub_link_lost, "DS-209", "the link to the hub was lost", "It is made again by itself."},
    ErrorInfo{Errc::hub_refused_stream_leg, "DS-210", "the hub refused the stream's leg",
              "Connect again; if that repeats, check both machines' dates."},
    ErrorInfo{
        Errc::proxy_unreachable, "DS-211", "the network's proxy cannot be reached",
        "Check hub.http_proxy (or https_proxy and all_proxy in the environment), this machine's DNS, and that the "
        "proxy runs."},
    ErrorInfo{
        Errc::proxy_timeout, "DS-212", "the network's proxy did not answer in time",
        "Check the proxy's load, that the hub can be reached from where the proxy is, and whether it speaks HTTP or "
        "SOCKS."},
    ErrorInfo{Errc::proxy_tls_failed, "DS-213", "TLS with the network's proxy failed",
              "Check that the proxy's port takes TLS, else write http://, and set hub.http_proxy_ca_file to its CA."},
    ErrorInfo{Errc::proxy_unauthorized, "DS-214", "the network's proxy wants another authentication",
              "Check hub.http_proxy_credentials_file, or user and password in the proxy's URL."},
    ErrorInfo{Errc::proxy_refused, "DS-215", "the network's proxy does not let us through to the hub",
              "Have its administrator allow connections to the hub's name and port, or use port 443 for the hub."},
    ErrorInfo{Errc::proxy_found_no_hub, "DS-216", "the network's proxy did not reach the hub",
              "Check HostName and hub.port, and that the proxy resolves and reaches them; its log says more."},
    ErrorInfo{Errc::proxy_garbage, "DS-217", "the network's proxy answered with something unexpected",
              "Check that host and port are those of the proxy, and the scheme: http://, https:// if it takes TLS, or "
              "socks5h://."},
    ErrorInfo{
        Errc::upgrade_removed, "DS-218", "something in front of the hub removes the upgrade to WebSocket",
        "Have the reverse proxy pass it on: nginx needs `proxy_http_version 1.1`, `proxy_set_header Upgrade "
        "$http_upgrade` and `proxy_set_header Connection $connection_upgrade` (docs/reverse-proxies.md has all)."},
    ErrorInfo{Errc::clock_behind, "DS-219", "this machine's clock is behind",
              "Probably it is not set yet: check that this machine gets the time (NTP; timedatectl shows it), or else "
              "the hub's clock and certificate; device-proxy tries again by itself, at once when the clock is set."},
    ErrorInfo{Errc::certificate_expired, "DS-220", "the hub's certificate has expired",
              "Renew it on the hub, which takes the new file by itself; if the date above is still to come, set this "
              "machine's clock."},
    ErrorInfo{Errc::service_unauthorized, "DS-301", "the hub refused the service credential",
              "Check the policy name and key in the connection string, that the policy allows this device and service "
              "(stream-hub policy explain), and this machine's date."},
    ErrorInfo{
        Errc::device_unknown, "DS-302", "the hub does not know the device",
        "Check the device id, also its capital letters (ssh writes %h in lower case, %n as it is typed); stream-hub "
        "device list shows all."},
    ErrorInfo{Errc::device_offline, "DS-303", "the device is offline",
              "Check that device-proxy runs on the device and reaches the hub."},
    ErrorInfo{Errc::device_silent, "DS-304", "the device did not answer",
              "Check the log of device-proxy on the device; its local service may be slow to accept."},
    ErrorInfo{Errc::stream_rejected, "DS-305", "the device refused the stream",
              "Check that the service is configured on the device and running; device-proxy's log says which."},
    ErrorInfo{Errc::throttled, "DS-306", "the hub limits new streams at the moment", "Wait a little and try again."},
    ErrorInfo{Errc::quota_exceeded, "DS-307", "the hub's quota is used up",
              "Wait for the next day or raise the quota."},
    ErrorInfo{Errc::hub_failed, "DS-308", "the hub failed", "See the hub's log."},
    ErrorInfo{Errc::request_refused, "DS-309", "the hub refused the request",
              "Check the device id and the service name."},
    ErrorInfo{Errc::user_not_allowed, "DS-310", "this user may not use the forward",
              "Add the user to allow_users of the forward in service-proxy's configuration, or use another account."},
    ErrorInfo{Errc::service_unknown, "DS-401", "no such service on this device",
              "Add it under services: in device-proxy's configuration, or correct the forward."},
    ErrorInfo{Errc::local_refused, "DS-402", "the local service refused the connection",
              "Start the service, or correct its address under services:."},
    ErrorInfo{Errc::local_timeout, "DS-403", "the local service did not accept in time",
              "Check its address under services: and the firewall between."},
    ErrorInfo{Errc::local_unreachable, "DS-404", "the local service cannot be reached",
              "Check its address under services:."},
    ErrorInfo{Errc::service_not_allowed, "DS-405", "the service is not open to this policy",
              "Add the policy of the service's connection string to allow_from; a hub that names none is refused."},
    ErrorInfo{Errc::leg_reset, "DS-501", "a leg was reset", "The program at that end aborted its connection."},
    ErrorInfo{Errc::leg_lost, "DS-502", "a leg was lost", "Connect again; the network or a program in between failed."},
    ErrorInfo{Errc::hub_stopping, "DS-503", "the hub is stopping", "Connect again in a moment."},
    ErrorInfo{Errc::protocol_violation, "DS-504", "a peer broke the protocol",
              "Check the versions at both ends; the log names the leg."},
    ErrorInfo{Errc::cancelled, "DS-505", "the stream was cancelled", "Nothing: one end asked for it."},
    ErrorInfo{Errc::time_limit, "DS-506", "a time limit of the stream was reached",
              "Raise idle_timeout, max_lifetime or stall_timeout if that was too soon."},
    ErrorInfo{Errc::ended_by_policy, "DS-507", "the stream was ended by policy",
              "An identity was removed or a limit was reached; the hub's log says which."},
    ErrorInfo{Errc::mtu_black_hole, "DS-508", "large packets vanish on the way, small ones arrive (MTU)",
              "Set hub.mss to 1200, or mss in the hub's configuration; or have the firewall on the way let ICMP "
              "\"fragmentation needed\" and \"packet too big\" through."},
    ErrorInfo{Errc::credential_refused, "DS-601", "a credential was refused",
              "Check that identity's key or certificate and its expiry, and the clock of the machine it came from."},
    ErrorInfo{Errc::peer_garbage, "DS-602", "a peer sent something that is not the protocol",
              "Usually a scanner; otherwise check what connects from that address."},
    ErrorInfo{Errc::peer_oversize, "DS-603", "a peer sent more than is allowed",
              "Check what connects from that address."},
    ErrorInfo{Errc::peer_slow, "DS-604", "a peer took too long", "Check the network from that address."},
    ErrorInfo{Errc::peer_tls_failed, "DS-605", "TLS with a peer failed",
              "Check that the peer trusts this hub's CA and speaks TLS 1.2 or later."},
    ErrorInfo{Errc::identity_taken_over, "DS-606", "another link of the same identity took over",
              "If this repeats, two machines use the same device id: give each its own (stream-hub device add)."},
    ErrorInfo{Errc::handshake_expired, "DS-607", "the stream was not complete in time",
              "One side never opened its leg; see its log."},
    ErrorInfo{Errc::hub_not_running, "DS-608", "the hub's admin socket cannot be reached",
              "Start the hub, or name its state directory with --state-directory."},
    ErrorInfo{Errc::already_exists, "DS-609", "it exists already", "Choose another name or remove it first."},
    ErrorInfo{Errc::not_found, "DS-610", "there is no such thing", "The list command shows what there is."},
    ErrorInfo{Errc::stream_not_allowed, "DS-611", "a policy does not allow a stream",
              "stream-hub policy explain says what decides; policy allow adds a rule."},
    ErrorInfo{Errc::hub_full, "DS-612", "the hub has as many devices as it may",
              "Raise limits.linked_devices, or find out with stream-hub device list who should not be connected."},
    ErrorInfo{
        Errc::transport_not_served, "DS-613", "a device comes over AMQP or HTTP",
        "Use MQTT or MQTT over WebSocket there (TransportType.Mqtt or MqttWs, Mqtt_WebSocket_Only in .NET); AMQP is "
        "not served yet."},
    ErrorInfo{Errc::provisioning_not_served, "DS-614", "a device asks for provisioning (DPS)",
              "Register it with the hub itself and give it that connection string; see docs/migration.md."},
    ErrorInfo{Errc::resource_log_unwritable, "DS-621", "the resource log cannot be written",
              "Check the path under resource_log, its owner and the free space; streams go on meanwhile."},
    ErrorInfo{Errc::internal, "DS-901", "an internal fault", "Please report it with the log around this line."},
    ErrorInfo{Errc::out_of_descriptors, "DS-902", "no file descriptors left",
              "Raise the limit (LimitNOFILE=, ulimit -n); accepting pauses meanwhile."},
};

class Category final : public std::error_category {
    const char* name() const noexcept override { return "device_streams"; }
    std::string message(int value) const override { return std::string(describe(static_cast<Errc>(value)).summary); }
};

std::string headline(const ErrorInfo& info) {
    return std::string(info.id) + " " + std::string(info.summary);
}

}  // namespace

std::span<const ErrorInfo> error_table() {
    return table;
}

const ErrorInfo& describe(Errc code) {
    const auto row = std::ranges::find(table, code, &ErrorInfo::code);
    return row != table.end() ? *row : describe(Errc::internal);
}

const std::error_category& error_category() {
    static const Category category;
    return category;
}

std::error_code make_error_code(Errc code) {
    return {static_cast<int>(code), error_category()};
}

Failure::Failure(Errc code, std::string detail) : std::system_error(code, detail), detail_(std::move(detail)) {
}

std::string explain(const Failure& failure) {
    const auto& info = describe(failure.errc());
    return headline(info) + (failure.detail().empty() ? "" : ": " + failure.detail()) + ". " + std::string(info.advice);
}

std::string explain(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const Failure& known) {
        return explain(known);
    } catch (const std::system_error& known) {
        return known.code().category() == error_category() ? headline(describe(static_cast<Errc>(known.code().value())))
                                                           : known.what();
    } catch (const std::exception& other) {
        return headline(describe(Errc::internal)) + ": " + other.what();
    } catch (...) {
        return headline(describe(Errc::internal));
    }
}

bool is_cancellation(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const std::system_error& known) {
        return known.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

}  // namespace device_streams
