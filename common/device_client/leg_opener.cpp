#include "common/device_client/leg_opener.hpp"

#include "common/async/join.hpp"
#include "common/base/error.hpp"
#include "common/base/version.hpp"
#include "common/tunnel/leg_options.hpp"

namespace device_streams::device {

namespace {

constexpr auto dialled_ahead_for = std::chrono::minutes(5);

asio::awaitable<void> keep_warm(std::shared_ptr<WarmConnections> connections) {
    co_await connections->keep_warm();
}

iothub::StreamUrl url_of(const iothub::StreamRequest& request) {
    auto url = iothub::parse_stream_url(request.url);
    if (!url) throw Failure(Errc::hub_protocol, "the stream's URL is not a wss:// URL");
    return std::move(*url);
}

Failure refused_leg(const http::Response& answer) {
    if (lost_upgrade(answer)) return {Errc::upgrade_removed, "stream leg: " + status_text(answer)};
    const bool over = answer.status == 404;
    return {Errc::hub_refused_stream_leg,
            over ? "the stream is over: its client left meanwhile, or it took too long" : status_text(answer)};
}

}  // namespace

LegOpener::LegOpener(const asio::any_io_executor& executor, Clock& clock, Log log)
    : executor_(executor),
      clock_(clock),
      log_(std::move(log)),
      warming_(executor, [this](std::exception_ptr failure) { log_.error(explain(failure)); }) {
}

asio::awaitable<DialledLeg> LegOpener::dial(HubAccess hub, iothub::StreamRequest request) {
    // Other hubs may not like connections that wait.
    auto from = leading_to(hub, url_of(request).endpoint(), from_own_hub(request.features));
    DialledLeg dialled{std::move(request), std::move(hub), std::move(from), {}};
    dialled.taken = co_await dialled.from->take();
    dialled.taken.kept = true;  // it waits for the stream to be accepted, and may be dead by then
    co_return dialled;
}

asio::awaitable<std::unique_ptr<ByteStream>> LegOpener::open(DialledLeg dialled) {
    const auto& hub = dialled.hub;
    const auto url = url_of(dialled.request);
    auto ask = leg_handshake(url.target, dialled.request.token, std::string("device-proxy/") + version);
    ask.host = url.endpoint().to_string();
    const auto attempt = [&](http::Connection& on) { return with_timeout(ws::upgrade(on, ask), hub.timeout, clock_); };
    auto upgrading = dialled.from->exchange(dialled.taken, attempt);
    const auto answer = co_await upgrade_answer(std::move(upgrading), url.endpoint());
    if (answer.status != 101) throw refused_leg(answer);
    dialled.taken.connection->transport().give_up_after(hub.liveness.dead_after);
    const auto features = common_features(own_features, parse_features(dialled.request.features));
    co_return as_stream(std::move(dialled.taken.connection),
                        leg_options(ws::Role::client, features, hub.liveness, clock_));
}

std::shared_ptr<WarmConnections> LegOpener::leading_to(const HubAccess& hub, const Endpoint& named, bool again) {
    const std::lock_guard lock(mutex_);
    if (warm_ && !warm_->retired() && warm_->lead_to(hub, named)) return warm_;
    if (warm_) warm_->retire();
    const WarmLimits limits{.most_idle = 1, .longest_unused = dialled_ahead_for};
    warm_ = std::make_shared<WarmConnections>(executor_, hub, named, limits, clock_, log_);
    if (again && !retired_) warming_.spawn(warm_->strand(), keep_warm(warm_));
    return warm_;
}

void LegOpener::retire() {
    const std::lock_guard lock(mutex_);
    retired_ = true;
    if (warm_) warm_->retire();
    warming_.cancel_all();
}

}  // namespace device_streams::device
