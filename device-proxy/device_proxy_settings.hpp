#pragma once

#include "common/device_client/link_settings.hpp"
#include "device-proxy/device_proxy_config.hpp"
#include "device-proxy/stream_acceptor.hpp"

namespace device_streams::device {

/// What the link and the streams work with.
struct DeviceProxySettings {
    LinkSettings link;
    StreamSettings streams;
};

/// Reads the connection string, the CA file and the device's certificate. Throws Failure (credential_malformed,
/// certificate_unusable, file_unreadable).
DeviceProxySettings make_settings(const DeviceProxyConfig& config);

}  // namespace device_streams::device
