#include "hub/streams/bridge.hpp"

#include "common/base/error.hpp"
#include "common/tunnel/end_reason.hpp"
#include "common/tunnel/stream_id.hpp"
#include "hub/streams/close_within.hpp"
#include "hub/streams/end_result.hpp"

#include <asio/post.hpp>

namespace device_streams::hub {

struct Bridges::Bridge {
    Bridge(StreamRef what, Strand where, Clock::time_point when, std::unique_ptr<ByteStream> device_leg,
           std::unique_ptr<ByteStream> service_leg)
        : share(std::move(what.share)),
          stream(std::move(what)),
          strand(std::move(where)),
          started(when),
          device(std::move(device_leg)),
          service(std::move(service_leg)) {}
    // Nobody else may hold it: the place is free as soon as the stream is off the list.
    std::shared_ptr<StreamShare> share;
    const StreamRef stream;
    const Strand strand;
    const Clock::time_point started;
    // On the strand only.
    const std::unique_ptr<ByteStream> device, service;
    std::string revoked;  // why
    // From the device leg, the left one, to the service leg, and back.
    RelayCounts counts;

    void count() const {
        if (share) share->carried(counts.both());
    }
};

// Takes the bridge off the list however it ends.
class Bridges::Listed {
 public:
    Listed(Bridges& bridges, Bridge* bridge) : bridges_(bridges), bridge_(bridge) {}
    Listed(const Listed&) = delete;
    Listed& operator=(const Listed&) = delete;
    ~Listed() { erase(); }
    void erase() {
        const std::lock_guard lock(bridges_.mutex_);
        if (bridges_.running_.erase(bridge_) == 0) return;
        bridge_->count();
        bridge_->share.reset();
    }

 private:
    Bridges& bridges_;
    Bridge* bridge_;
};

namespace {

constexpr RelaySide device_side{"device", "device leg"}, service_side{"service", "service leg"};

std::string reason_of(const RelayResult& result) {
    return end_reason(result, device_side, service_side);
}

}  // namespace

Bridges::Bridges(const asio::any_io_executor& executor, Clock& clock, Log log, const Current<HubLimits>& limits,
                 OnEnd on_end)
    : clock_(clock),
      log_(std::move(log)),
      limits_(limits),
      on_end_(std::move(on_end)),
      tasks_(executor,
             [this](std::exception_ptr failure) { log_.fault(LogLevel::error, Errc::internal, explain(failure)); }) {
}

void Bridges::start(StreamRef stream, std::unique_ptr<ByteStream> device, std::unique_ptr<ByteStream> service) {
    const std::lock_guard lock(mutex_);
    if (stopped_) {
        close_alone(std::move(device), CloseReason::stopping);
        close_alone(std::move(service), CloseReason::stopping);
        RelayResult cancelled;
        cancelled.close_reason = CloseReason::cancelled;
        on_end_({stream.target,
                 stream.name,
                 stream.stream_id,
                 0,
                 0,
                 {},
                 reason_of(cancelled),
                 result_type_of(CloseReason::cancelled, false)});
        return;
    }
    const auto strand = tasks_.make_strand();
    const auto bridge =
        std::make_shared<Bridge>(std::move(stream), strand, clock_.now(), std::move(device), std::move(service));
    running_.emplace(bridge.get(), bridge);
    tasks_.spawn(strand, run(bridge));
}

asio::awaitable<void> Bridges::run(std::shared_ptr<Bridge> bridge) {
    Listed listed(*this, bridge.get());
    log_of(bridge->stream).info("stream started");
    const auto limits = limits_.get();
    const auto result = co_await relay(*bridge->device, *bridge->service, limits->relay, clock_, CloseReason::stopping,
                                       &bridge->counts);
    listed.erase();  // before the line, whose reader then finds the stream gone
    tell_end(*bridge, result);
}

// Nothing of it is kept while the stream runs.
Log Bridges::log_of(const StreamRef& stream) const {
    return log_.with({{"device", stream.target.to_string()},
                      {"service", service_of(stream.name)},
                      {"stream", loggable_stream_id(stream.name)}});
}

void Bridges::tell_end(const Bridge& bridge, const RelayResult& result) const {
    const auto life = clock_.now() - bridge.started;
    const auto reason = bridge.revoked.empty() ? reason_of(result) : bridge.revoked;
    const auto& stream = bridge.stream;
    log_of(stream).info("stream ended", {{"bytes_to_service", result.left_to_right},
                                         {"bytes_to_device", result.right_to_left},
                                         {"duration_ms", whole_milliseconds(life)},
                                         {"reason", reason}});
    on_end_({stream.target, stream.name, stream.stream_id, result.right_to_left, result.left_to_right, life, reason,
             result_type_of(bridge.revoked.empty() ? result.close_reason : CloseReason::refused, result.left_caused)});
}

void Bridges::close_alone(std::unique_ptr<ByteStream> leg, CloseReason close_reason) {
    tasks_.spawn(close(std::move(leg), close_reason));
}

asio::awaitable<void> Bridges::close(std::unique_ptr<ByteStream> leg, CloseReason close_reason) {
    co_await close_within(*leg, close_reason, limits_.get()->relay.goodbye, clock_);
}

void Bridges::revoke(const Revocation& revoked) {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, bridge] : running_) {
        if (!bridge->stream.rests_on(revoked)) continue;
        auto cut = [bridge = bridge, why = std::string(revoked.why())] {
            bridge->revoked = why;
            bridge->device->abort(CloseReason::refused);
            bridge->service->abort(CloseReason::refused);
        };
        asio::post(bridge->strand, std::move(cut));
    }
}

void Bridges::cancel_all() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    tasks_.cancel_all();
}

void Bridges::count() {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, bridge] : running_) bridge->count();
}

std::vector<RunningStream> Bridges::list() const {
    const auto now = clock_.now();
    const std::lock_guard lock(mutex_);
    std::vector<RunningStream> streams;
    for (const auto& [key, bridge] : running_)
        streams.push_back(
            {bridge->stream, bridge->counts.left_to_right, bridge->counts.right_to_left, now - bridge->started});
    return streams;
}

}  // namespace device_streams::hub
