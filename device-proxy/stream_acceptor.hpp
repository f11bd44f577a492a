#pragma once

#include "common/async/task_set.hpp"
#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/device_client/leg_opener.hpp"
#include "common/hub_access/hub_access.hpp"
#include "common/iothub/stream_request.hpp"
#include "common/net/byte_stream.hpp"
#include "common/tunnel/relay.hpp"
#include "device-proxy/service_map.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

namespace device_streams::device {

struct StreamSettings {
    ServiceMap services;
    HubAccess hub;
    Clock::duration local_timeout = std::chrono::seconds(10);  ///< for connecting to the local service
    RelayLimits relay;                                         ///< of all services; each may have stricter ones
};

/// A socket to a local service; bounded by its caller.
asio::awaitable<std::unique_ptr<ByteStream>> connect_locally(Endpoint endpoint, Clock& clock);

/// Serves stream requests, all at the same time, each on a strand of its own: connects to the local service, accepts
/// only then, opens the leg to the hub and relays until the end. Public members may be called from any thread. It must
/// outlive its tasks: await until_done().
class StreamAcceptor {
 public:
    /// Tells the hub whether the stream is accepted or why it is refused; called on the stream's strand.
    using Answer = std::function<void(const iothub::StreamRequest&, std::optional<Errc> refusal)>;

    /// As connect_locally, which tests replace.
    using Connect = std::function<asio::awaitable<std::unique_ptr<ByteStream>>(Endpoint, Clock&)>;

    StreamAcceptor(asio::any_io_executor executor, Clock& clock, Log log, StreamSettings settings, Answer answer,
                   std::unique_ptr<LegOpener> legs, Connect connect = connect_locally);

    void take(iothub::StreamRequest request);
    /// For streams requested from now on.
    void apply(StreamSettings settings);
    /// Ignores further requests: a hub of ours gives them to the process that takes the identity over. `when_answered`
    /// is called once those taken so far have their answer, maybe at once; from any thread.
    void stop_taking(std::function<void()> when_answered = [] {});
    /// Ends all streams; their peers hear `stopping`.
    void cancel() { tasks_.cancel_all(); }
    asio::awaitable<void> until_done();
    std::size_t running() const { return tasks_.size(); }

 private:
    using Settings = std::shared_ptr<const StreamSettings>;
    struct Stream;

    class Unanswered;
    void note_answered();
    asio::awaitable<void> serve(iothub::StreamRequest request, Settings settings, Unanswered open);
    std::optional<Errc> find_service(Stream& stream) const;
    std::optional<Errc> reason_to_refuse(const Stream& stream) const;
    asio::awaitable<void> answer(Stream& stream, Unanswered open);
    asio::awaitable<std::optional<Errc>> reach_service(Stream& stream);
    asio::awaitable<void> dial_leg(Stream& stream);
    asio::awaitable<bool> open_leg(Stream& stream);
    asio::awaitable<void> carry(Stream& stream);

    TaskSet tasks_;
    Clock& clock_;
    const Log log_;
    const Answer answer_;
    const std::unique_ptr<LegOpener> legs_;
    const Connect connect_;
    std::mutex mutex_;  // of those below; a few times per stream
    Settings settings_;
    bool taking_ = true;
    std::size_t unanswered_ = 0;
    std::function<void()> when_answered_;  // set while somebody waits
};

}  // namespace device_streams::device
