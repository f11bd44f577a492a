#pragma once

#include "common/app/run.hpp"
#include "device-proxy/device_proxy_settings.hpp"
#include "device-proxy/hub_link.hpp"
#include "device-proxy/stream_acceptor.hpp"

#include <functional>

namespace device_streams::device {

/// The program's component: the link takes stream requests from the hub, the acceptor serves them.
class DeviceProxy final : public Component {
 public:
    /// Reads the configuration again; throws Failure when it is bad.
    using ReadAgain = std::function<DeviceProxySettings()>;

    DeviceProxy(const Environment& environment, DeviceProxySettings settings, ReadAgain read_again);

    /// Does not wait for the hub: a device that starts before its network must not fail.
    asio::awaitable<void> start() override;
    void stop_accepting() override;
    void cancel() override;
    asio::awaitable<void> until_done() override;
    void reload() override;

 private:
    ReadAgain read_again_;
    HubLink link_;
    StreamAcceptor acceptor_;
};

}  // namespace device_streams::device
