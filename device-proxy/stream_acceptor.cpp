#include "device-proxy/stream_acceptor.hpp"

#include "common/async/join.hpp"
#include "common/base/error.hpp"
#include "common/net/dial.hpp"
#include "common/net/socket_stream.hpp"
#include "common/tunnel/end_reason.hpp"
#include "common/tunnel/stream_id.hpp"

#include <optional>

namespace device_streams::device {

namespace {

std::string loggable_id(const std::string& name) {
    return iothub::is_valid_stream_name(name) ? loggable_stream_id(name) : "(malformed name)";
}

Errc local_errc(const std::error_code& code) {
    if (code == asio::error::connection_refused) return Errc::local_refused;
    if (code == asio::error::timed_out) return Errc::local_timeout;
    if (code == asio::error::no_descriptors) return Errc::out_of_descriptors;
    return Errc::local_unreachable;
}

constexpr RelaySide local_side{"local service", "local service"}, hub_side{"client", "leg to the hub"};

}  // namespace

asio::awaitable<std::unique_ptr<ByteStream>> connect_locally(Endpoint endpoint, Clock& clock) {
    auto socket = co_await dial(std::move(endpoint), clock);
    co_return std::make_unique<SocketStream>(std::move(socket));
}

struct StreamAcceptor::Stream {
    const iothub::StreamRequest request;
    const Settings settings;
    const Log log;
    LocalService service;
    std::unique_ptr<ByteStream> local;
    DialledLeg dialled;
    std::exception_ptr dial_failure;
    std::unique_ptr<ByteStream> leg;
};

StreamAcceptor::StreamAcceptor(asio::any_io_executor executor, Clock& clock, Log log, StreamSettings settings,
                               Answer answer, std::unique_ptr<LegOpener> legs, Connect connect)
    : tasks_(std::move(executor),
             [this](std::exception_ptr failure) { log_.error("stream failed: " + explain(failure)); }),
      clock_(clock),
      log_(std::move(log)),
      answer_(std::move(answer)),
      legs_(std::move(legs)),
      connect_(std::move(connect)),
      settings_(std::make_shared<const StreamSettings>(std::move(settings))) {
}

void StreamAcceptor::apply(StreamSettings settings) {
    auto shared = std::make_shared<const StreamSettings>(std::move(settings));
    const std::lock_guard lock(mutex_);
    settings_ = std::move(shared);
}

// Counts a request until it has its answer, or can have none any more.
class StreamAcceptor::Unanswered {
 public:
    explicit Unanswered(StreamAcceptor& acceptor) : acceptor_(&acceptor) {}
    Unanswered(Unanswered&& other) noexcept : acceptor_(std::exchange(other.acceptor_, nullptr)) {}
    ~Unanswered() { over(); }
    void over() {
        if (auto* acceptor = std::exchange(acceptor_, nullptr)) acceptor->note_answered();
    }

 private:
    StreamAcceptor* acceptor_;
};

void StreamAcceptor::note_answered() {
    std::function<void()> told;
    {
        const std::lock_guard lock(mutex_);
        if (--unanswered_ == 0) told.swap(when_answered_);
    }
    if (told) told();
}

void StreamAcceptor::stop_taking(std::function<void()> when_answered) {
    {
        const std::lock_guard lock(mutex_);
        taking_ = false;
        if (unanswered_ > 0) {
            when_answered_ = std::move(when_answered);
            return;
        }
    }
    when_answered();
}

void StreamAcceptor::take(iothub::StreamRequest request) {
    const std::lock_guard lock(mutex_);
    if (!taking_) return;
    ++unanswered_;
    tasks_.spawn(serve(std::move(request), settings_, Unanswered(*this)));
}

asio::awaitable<void> StreamAcceptor::until_done() {
    co_await tasks_.until_empty();
    legs_->retire();
    co_await legs_->until_done();
}

asio::awaitable<void> StreamAcceptor::serve(iothub::StreamRequest request, Settings settings, Unanswered open) {
    auto log = log_.with({{"stream", loggable_id(request.name)}});
    if (!request.policy.empty()) log = log.with({{"policy", request.policy}});
    Stream stream{std::move(request), std::move(settings), log, {}, {}, {}, {}, {}};
    auto refusal = find_service(stream);
    if (!refusal) refusal = reason_to_refuse(stream);
    if (refusal) co_return answer_(stream.request, refusal);
    co_await both(answer(stream, std::move(open)), dial_leg(stream));
    if (!stream.local) co_return;
    if (!co_await open_leg(stream)) co_return stream.local->abort(CloseReason::lost);
    co_await carry(stream);
}

std::optional<Errc> StreamAcceptor::find_service(Stream& stream) const {
    const auto& name = stream.request.name;
    const bool valid = iothub::is_valid_stream_name(name);
    if (auto service = valid ? stream.settings->services.resolve(name, stream.request.policy) : std::nullopt) {
        stream.service = std::move(*service);
        return std::nullopt;
    }
    const Failure unknown(Errc::service_unknown, valid ? name : "malformed stream name");
    stream.log.warning("stream refused: " + explain(unknown));
    return unknown.errc();
}

std::optional<Errc> StreamAcceptor::reason_to_refuse(const Stream& stream) const {
    const auto& policy = stream.request.policy;
    if (stream.service.is_open_to(policy)) return std::nullopt;
    const Failure closed(Errc::service_not_allowed,
                         stream.service.name + (policy.empty() ? ", the hub names no policy" : ", policy " + policy));
    stream.log.warning("stream refused: " + explain(closed));
    return closed.errc();
}

asio::awaitable<void> StreamAcceptor::answer(Stream& stream, Unanswered open) {
    const auto refusal = co_await reach_service(stream);
    answer_(stream.request, refusal);
    open.over();
}

asio::awaitable<std::optional<Errc>> StreamAcceptor::reach_service(Stream& stream) {
    const auto target = stream.service.name + " at " + stream.service.endpoint.to_string();
    try {
        auto connecting = connect_(stream.service.endpoint, clock_);
        stream.local = co_await with_timeout(std::move(connecting), stream.settings->local_timeout, clock_);
        co_return std::nullopt;
    } catch (const std::system_error& failure) {
        if (failure.code() == asio::error::operation_aborted) throw;
        const auto code = local_errc(failure.code());
        stream.log.warning("stream refused: " + explain(Failure(code, target + ", " + failure.code().message())));
        co_return code;
    }
}

// Beside the local connection, whose fate alone decides the answer.
asio::awaitable<void> StreamAcceptor::dial_leg(Stream& stream) {
    try {
        stream.dialled = co_await legs_->dial(stream.settings->hub, stream.request);
    } catch (const Failure&) {
        stream.dial_failure = std::current_exception();
    }
}

asio::awaitable<bool> StreamAcceptor::open_leg(Stream& stream) {
    try {
        if (stream.dial_failure) std::rethrow_exception(stream.dial_failure);
        stream.leg = co_await legs_->open(std::move(stream.dialled));
        co_return true;
    } catch (const Failure& failure) {
        stream.log.warning("stream failed on its leg to the hub: " + explain(failure));
    }
    co_return false;
}

asio::awaitable<void> StreamAcceptor::carry(Stream& stream) {
    stream.log.info("stream opened", {{"service", stream.service.name}, {"to", stream.service.endpoint.to_string()}});
    const auto began = clock_.now();
    auto limits = stream.settings->relay;
    limits.stream = limits.stream.within(stream.service.limits);
    const auto result = co_await relay(*stream.local, *stream.leg, limits, clock_);
    stream.log.info("stream ended", {{"service", stream.service.name},
                                     {"bytes_to_device", result.right_to_left},
                                     {"bytes_to_service", result.left_to_right},
                                     {"duration_ms", whole_milliseconds(clock_.now() - began)},
                                     {"reason", end_reason(result, local_side, hub_side)}});
}

}  // namespace device_streams::device
