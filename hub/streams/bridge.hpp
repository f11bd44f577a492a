#pragma once

#include "common/async/task_set.hpp"
#include "common/base/log.hpp"
#include "common/net/byte_stream.hpp"
#include "common/tunnel/relay.hpp"
#include "hub/audit/resource_record.hpp"
#include "hub/limits/current.hpp"
#include "hub/limits/hub_limits.hpp"
#include "hub/quota/stream_quotas.hpp"
#include "hub/streams/pairing.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace device_streams::hub {

/// A stream that runs, for `streams list`.
struct RunningStream {
    StreamRef stream;
    std::uint64_t bytes_to_service = 0;  ///< so far
    std::uint64_t bytes_to_device = 0;
    Clock::duration duration{};
};

/// The bridges: pairs of legs, each pair with both its pumps on one strand. Logs one line at the start and one at the
/// end of a stream. Members may be called from any thread.
class Bridges {
 public:
    /// Hears of the end of every stream, on the stream's strand.
    using OnEnd = std::function<void(StreamEnd)>;
    Bridges(const asio::any_io_executor& executor, Clock& clock, Log log, const Current<HubLimits>& limits,
            OnEnd on_end);

    /// Takes both legs; nobody else may touch them any more.
    void start(StreamRef stream, std::unique_ptr<ByteStream> device, std::unique_ptr<ByteStream> service);
    /// Says goodbye to a leg whose other leg is gone.
    void close_alone(std::unique_ptr<ByteStream> leg, CloseReason close_reason);
    /// Cuts the streams of revoked logins at once.
    void revoke(const Revocation& revoked);
    /// Ends all streams, those included that are started later; the peers hear `stopping`.
    void cancel_all();
    asio::awaitable<void> until_empty() { return tasks_.until_empty(); }
    std::vector<RunningStream> list() const;
    /// Tells the shares of the streams what these have carried so far; done for each of them once more at its end.
    void count();

 private:
    struct Bridge;
    class Listed;
    asio::awaitable<void> run(std::shared_ptr<Bridge> bridge);
    Log log_of(const StreamRef& stream) const;
    void tell_end(const Bridge& bridge, const RelayResult& result) const;
    asio::awaitable<void> close(std::unique_ptr<ByteStream> leg, CloseReason close_reason);

    Clock& clock_;
    Log log_;
    const Current<HubLimits>& limits_;
    const OnEnd on_end_;
    mutable std::mutex mutex_;  // start and end of streams only
    bool stopped_ = false;
    std::unordered_map<Bridge*, std::shared_ptr<Bridge>> running_;
    TaskSet tasks_;
};

}  // namespace device_streams::hub
