#include "service-proxy/hub_access.hpp"

#include "common/base/error.hpp"

#include <algorithm>
#include <cctype>

namespace device_streams::service {

namespace {

bool same_host(const std::string& a, const std::string& b) {
    return std::ranges::equal(a, b,
                              [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

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

}  // namespace

Endpoint HubAccess::address_of(const iothub::StreamUrl& url) const {
    Endpoint where;
    where.host = same_host(url.host, host_name()) ? address.host : url.host;
    where.port = url.port;
    return where;
}

HubAccess make_hub_access(const HubSettings& settings) {
    HubAccess access;
    access.credential = iothub::parse_connection_string(settings.connection_string.reveal());
    require_service_credential(access.credential);
    const auto& gateway = access.credential.gateway_host_name;
    access.address.host = !settings.address.empty() ? settings.address : gateway.empty() ? access.host_name() : gateway;
    access.address.port = settings.port;
    access.tls = TlsContext::client(settings.ca_file);
    return access;
}

}  // namespace device_streams::service
