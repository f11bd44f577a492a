#pragma once

#include "common/app/run.hpp"
#include "hub/config/hub_config.hpp"
#include "hub/identity/registry.hpp"

#include <memory>

namespace device_streams::hub {

/// The hub as one component: listeners, links of devices, stream requests and bridges. Tests run it in their own
/// process on port 0.
class StreamHub final : public Component {
 public:
    StreamHub(Environment environment, std::unique_ptr<Registry> registry, HubConfig config);
    /// Not before until_done() has returned, if start() was called.
    ~StreamHub() override;

    asio::awaitable<void> start() override;
    void stop_accepting() override;
    void cancel() override;
    /// Returns when no port is open any more, after stop_accepting(): a successor may take them. The admin socket
    /// serves until the end, or until a successor has its path.
    asio::awaitable<void> until_closed();
    asio::awaitable<void> until_done() override;
    /// Takes new limits, host names, addresses for clients, certificates and CAs of devices; the hub's name, its
    /// listeners and its admin socket stay. Throws Failure (old settings stay) for an unusable certificate.
    void apply(const HubConfig& config);

    /// Where it listens, with the port the system chose. After start().
    Endpoint endpoint() const;
    std::optional<Endpoint> mqtt_endpoint() const;
    Registry& registry();

 private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace device_streams::hub
