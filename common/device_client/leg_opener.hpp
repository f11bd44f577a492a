#pragma once

#include "common/hub_access/warm_connections.hpp"

#include <memory>
#include <mutex>

namespace device_streams::device {

/// A connection for one leg, with those that replace it should it be dead.
struct DialledLeg {
    std::shared_ptr<WarmConnections> from;
    WarmConnections::Taken taken;
};

/// The device's connections for its legs. While streams come, one is dialled ahead, so that the next leg needs neither
/// TCP nor TLS: for some minutes only, as a hub has to hold them for many devices. Members may be called from any
/// thread. It must outlive its task: retire() and await until_done().
class LegOpener {
 public:
    LegOpener(const asio::any_io_executor& executor, Clock& clock, Log log);

    /// A connection to `named`; `again`: the next leg may have one dialled ahead. Throws Failure (DS-201 to DS-205).
    asio::awaitable<DialledLeg> dial(HubAccess hub, Endpoint named, bool again);
    /// Drops what was dialled ahead; nothing is dialled ahead any more.
    void retire();
    asio::awaitable<void> until_done() { return warming_.until_empty(); }

 private:
    std::shared_ptr<WarmConnections> leading_to(const HubAccess& hub, const Endpoint& named, bool again);

    const asio::any_io_executor executor_;
    Clock& clock_;
    const Log log_;
    TaskSet warming_;
    std::mutex mutex_;  // once per stream
    std::shared_ptr<WarmConnections> warm_;
    bool retired_ = false;
};

}  // namespace device_streams::device
