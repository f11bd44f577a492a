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

HubAccess make_access(const DeviceProxyConfig& config, const iothub::ConnectionString& identity) {
    HubAccess hub;
    hub.host_name = identity.host_name;
    hub.connect_host = config.hub.address.empty() ? identity.gateway_host_name : config.hub.address;
    hub.tls = TlsContext::client(config.hub.ca_file);
    hub.proxy = make_http_proxy(config.hub.http_proxy, config.hub.no_proxy, config.hub.http_proxy_ca_file);
    hub.limit = config.hub_timeout;
    hub.liveness = config.liveness;
    return hub;
}

}  // namespace

DeviceProxySettings make_settings(const DeviceProxyConfig& config) {
    DeviceProxySettings settings;
    auto& link = settings.link;
    link.identity = read_identity(config.hub.connection_string);
    link.hub = make_access(config, link.identity);
    if (link.identity.x509) link.certificate = std::make_shared<OwnCertificate>(certificate_files(config));
    link.over_websocket = config.transport == LinkTransport::mqtt_ws;
    link.port = link.over_websocket ? config.hub.port : config.mqtt_port;
    link.keep_alive = config.keep_alive;
    link.session.connack = config.hub_timeout;
    link.session.suback = config.hub_timeout;
    link.session.ping_answer = std::clamp<Clock::duration>(config.keep_alive / 4, shortest_patience, longest_patience);
    link.backoff.first = config.reconnect.first;
    link.backoff.longest = config.reconnect.longest;

    settings.streams.services = ServiceMap(config.services, config.default_service);
    settings.streams.hub = link.hub;
    settings.streams.local_timeout = config.local_timeout;
    settings.streams.relay = config.relay;
    return settings;
}

}  // namespace device_streams::device
