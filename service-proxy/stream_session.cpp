#include "service-proxy/stream_session.hpp"

#include "common/async/join.hpp"
#include "common/base/error.hpp"
#include "common/tunnel/end_reason.hpp"

#include <optional>

namespace device_streams::service {

namespace {

std::string_view leg_of(Errc errc) {
    if (errc == Errc::user_not_allowed) return "client";
    const bool behind_the_hub =
        errc == Errc::device_offline || errc == Errc::device_silent || errc == Errc::stream_rejected;
    return behind_the_hub ? "device" : "hub";
}

// Ends that a client, a service or an administrator brings about every day are no reason for a warning. Nor is a
// foreign device whose leg ends without a Close, which the hub tells by 1011: Azure's C sample always does so when its
// local service ends first.
bool is_ordinary(const RelayResult& result, const ws::WsStream& leg) {
    switch (result.close_reason) {
        case CloseReason::clean:
        case CloseReason::reset:
        case CloseReason::cancelled:
        case CloseReason::stopping:
        case CloseReason::time_up:
            return true;
        case CloseReason::lost:
            return !result.left_caused && (result.left_ended_first || (!leg.half_close() && leg.closed_by_peer()));
        default:
            return false;
    }
}

constexpr auto silent_wait = std::chrono::seconds(2);

constexpr RelaySide local_side{"client", "local client"}, hub_side{"device", "leg to the hub"};

}  // namespace

StreamSession::StreamSession(StreamTools tools, const Forward& forward, const std::string& client)
    : tools_(std::move(tools)),
      forward_(forward),
      name_(make_stream_name(forward.service)),
      log_(tools_.log.with({{"device", iothub::Target{forward.device, forward.module}.to_string()},
                            {"service", forward.service},
                            {"stream", name_.id},
                            {"client", client}})) {
}

asio::awaitable<std::unique_ptr<ws::WsStream>> StreamSession::open(asio::awaitable<void> until_client_leaves) {
    std::optional<std::unique_ptr<ws::WsStream>> stream;
    const auto begun = tools_.clock.now();
    // Who waits at a terminal wants to know for what, long before the hub gives up.
    const auto slow = tools_.clock.alarm(co_await asio::this_coro::executor, begun + silent_wait);
    slow->async_wait([log = log_, &clock = tools_.clock, begun](const asio::error_code&) {
        if (clock.now() - begun >= silent_wait)
            log.warning("no answer yet, still waiting: the device is offline or slow, or the way is");
    });
    try {
        const iothub::Target target{forward_.device, forward_.module};
        auto opening = store(tools_.initiator->open(target, name_), stream);
        co_await first_of(std::move(opening), std::move(until_client_leaves));
        log_.info("stream opened", {{"setup_ms", whole_milliseconds(tools_.clock.now() - begun)}});
    } catch (...) {
        log_no_stream(std::current_exception());
        stream.reset();
    }
    co_return stream ? std::move(*stream) : nullptr;
}

void StreamSession::refuse(const Failure& refusal) {
    failure_ = refusal;
    log_.warning("no stream: " + explain(refusal), {{"leg", leg_of(refusal.errc())}});
}

void StreamSession::log_no_stream(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const StreamError& left) {
        log_.info("stream request cancelled", {{"reason", left.what()}});
    } catch (const Failure& refusal) {
        refuse(refusal);
    } catch (...) {
        if (is_cancellation(failure)) return log_.info("stream request cancelled", {{"reason", "this program stops"}});
        failure_.emplace(Errc::internal, explain(failure));
        log_.error("no stream: " + explain(failure));
    }
}

asio::awaitable<bool> StreamSession::carry(ByteStream& local, std::unique_ptr<ws::WsStream> stream) {
    const auto begun = tools_.clock.now();
    auto limits = tools_.relay;
    limits.stream = limits.stream.within(forward_.limits);
    const auto result = co_await relay(local, *stream, limits, tools_.clock);
    log_end(result, is_ordinary(result, *stream) ? LogLevel::info : LogLevel::warning, tools_.clock.now() - begun);
    if (result.close_reason != CloseReason::clean)
        failure_.emplace(errc_of(result.close_reason), end_reason(result, local_side, hub_side));
    co_return !failure_;
}

void StreamSession::log_end(const RelayResult& result, LogLevel level, Clock::duration length) const {
    log_.write(level, "stream ended",
               {{"bytes_to_device", result.left_to_right},
                {"bytes_to_service", result.right_to_left},
                {"duration_ms", whole_milliseconds(length)},
                {"reason", end_reason(result, local_side, hub_side)}});
}

}  // namespace device_streams::service
