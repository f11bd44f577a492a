#pragma once

#include "common/base/clock.hpp"
#include "common/base/log.hpp"
#include "common/hub_access/warm_connections.hpp"
#include "common/iothub/stream_request.hpp"

#include <memory>
#include <mutex>

namespace device_streams::device {

/// A leg on its way: a connection for it, with those that replace it should it be dead.
struct DialledLeg {
    iothub::StreamRequest request;
    HubAccess hub;
    std::shared_ptr<WarmConnections> from;
    WarmConnections::Taken taken;
};

/// Opens the device's legs of streams, each in two steps: the connection is dialled while it is decided whether the
/// stream is accepted, and becomes the leg once it was. While streams come from a hub of ours, the next one's is
/// dialled ahead, so that it needs neither TCP nor TLS: for some minutes only, as the hub has to hold them for many
/// devices.
///
/// Members may be called from any thread. It must outlive its task: retire() and await until_done(). Tests replace both
/// steps.
class LegOpener {
 public:
    LegOpener(const asio::any_io_executor& executor, Clock& clock, Log log);
    virtual ~LegOpener() = default;

    /// Connects to where the leg of `request` is wanted. Throws Failure (DS-201 to DS-206, DS-211 to DS-217).
    virtual asio::awaitable<DialledLeg> dial(HubAccess hub, iothub::StreamRequest request);
    /// Makes it the leg: the stream was accepted. Throws Failure: hub_refused_stream_leg when the hub does not want it
    /// any more, or as dial() does.
    virtual asio::awaitable<std::unique_ptr<ByteStream>> open(DialledLeg dialled);

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
