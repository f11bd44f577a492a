#include "device-proxy/device_proxy_settings.hpp"

#include "common/base/error.hpp"

#include <algorithm>

namespace device_streams::device {

namespace {

// For the answer to a ping.
constexpr std::chrono::seconds shortest_patience{2}, longest_patience{10};

iothub::ConnectionString read_identity(const Secret& text) {
    auto identity = iothub::parse_connection_string(text.reveal());
    if (identity.device_id.empty())
        throw Failure(Errc::credential_malformed, "no DeviceId: this is not the connection string of a device");
    return identity;
}

void complete_access(HubAccess& hub, const DeviceProxyConfig& config, const iothub::ConnectionString& identity) {
    const auto& settings = config.hub;
    hub.host_name = identity.host_name;
    hub.connect_host = settings.address.empty() ? identity.gateway_host_name : settings.address;
    hub.path_prefix = settings.path_prefix;
    hub.mss = settings.mss;
    hub.tls = TlsContext::client(settings.ca_file, std::nullopt, config.tls.record_plane);
    hub.proxy = make_outward_proxy(settings.http_proxy, settings.no_proxy, settings.http_proxy_ca_file);
}

}  // namespace

DeviceProxySettings make_settings(const DeviceProxyConfig& config) {
    DeviceProxySettings settings{config.link, config.streams};
    auto& link = settings.link;
    link.identity = read_identity(config.hub.connection_string);
    complete_access(link.hub, config, link.identity);
    if (link.identity.x509) link.certificate = std::make_shared<OwnCertificate>(config.own_certificate);
    link.port = link.transport == LinkTransport::mqtt_ws ? config.hub.port : config.mqtt_port;
    link.session.connack = link.session.suback = link.hub.timeout;
    link.session.ping_answer = std::clamp<Clock::duration>(link.keep_alive / 4, shortest_patience, longest_patience);
    settings.streams.hub = link.hub;
    settings.streams.services = ServiceMap(config.services, config.default_service);
    return settings;
}

}  // namespace device_streams::device
