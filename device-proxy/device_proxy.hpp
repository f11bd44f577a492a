#pragma once

#include "common/app/run.hpp"
#include "common/device_client/hub_link.hpp"
#include "device-proxy/device_proxy_settings.hpp"
#include "device-proxy/stream_acceptor.hpp"

namespace device_streams::device {

/// The program's component: the link takes stream requests from the hub, the acceptor serves them.
class DeviceProxy final : public Component {
 public:
    DeviceProxy(const Environment& environment, const DeviceProxySettings& settings);

    /// Does not wait for the hub: a device that starts before its network must not fail.
    asio::awaitable<void> start() override;
    void stop_accepting() override;
    void cancel() override;
    asio::awaitable<void> until_done() override;

    /// New streams use `settings`, running ones keep theirs. The link is replaced without a gap if it would be another
    /// one.
    void apply(DeviceProxySettings settings);

 private:
    HubLink link_;
    StreamAcceptor acceptor_;
};

}  // namespace device_streams::device
