#include "service-proxy/service_proxy_settings.hpp"

#include "common/base/error.hpp"

namespace device_streams::service {

namespace {

void require_service_credential(const iothub::ConnectionString& credential) {
    if (!credential.device_id.empty())
        throw Failure(Errc::credential_malformed,
                      "hub.connection_string is a device's (it has DeviceId); a service's has SharedAccessKeyName");
    if (!credential.token.empty()) return;
    if (credential.policy.empty())
        throw Failure(Errc::credential_malformed, "hub.connection_string has no SharedAccessKeyName");
    if (credential.key.empty())
        throw Failure(Errc::credential_malformed, "hub.connection_string has no SharedAccessKey");
}

ServiceAccess make_service_access(const ServiceProxyConfig& config) {
    const auto& settings = config.hub;
    ServiceAccess access;
    access.credential = iothub::parse_connection_string(settings.connection_string.reveal());
    require_service_credential(access.credential);
    access.hub.host_name = access.credential.host_name;
    access.hub.connect_host = settings.address.empty() ? access.credential.gateway_host_name : settings.address;
    access.hub.path_prefix = settings.path_prefix;
    access.hub.mss = settings.mss;
    access.hub.tls = TlsContext::client(settings.ca_file, std::nullopt, config.tls.record_plane);
    access.hub.proxy = make_outward_proxy(settings.http_proxy, settings.no_proxy, settings.http_proxy_ca_file);
    access.hub.timeout = config.open.hub;
    access.hub.liveness = config.liveness;
    access.port = settings.port;
    return access;
}

}  // namespace

ServiceProxySettings make_settings(const ServiceProxyConfig& config) {
    return {make_service_access(config), config.forwards, config.open, config.relay};
}

}  // namespace device_streams::service
