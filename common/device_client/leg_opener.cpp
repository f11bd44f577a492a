#include "common/device_client/leg_opener.hpp"

#include "common/base/error.hpp"

namespace device_streams::device {

namespace {

constexpr auto dialled_ahead_for = std::chrono::minutes(5);

asio::awaitable<void> keep_warm(std::shared_ptr<WarmConnections> connections) {
    co_await connections->keep_warm();
}

}  // namespace

LegOpener::LegOpener(const asio::any_io_executor& executor, Clock& clock, Log log)
    : executor_(executor),
      clock_(clock),
      log_(std::move(log)),
      warming_(executor, [this](std::exception_ptr failure) { log_.error(explain(failure)); }) {
}

asio::awaitable<DialledLeg> LegOpener::dial(HubAccess hub, Endpoint named, bool again) {
    DialledLeg dialled{leading_to(hub, named, again), {}};
    dialled.taken = co_await dialled.from->take();
    dialled.taken.kept = true;  // it waits for the local connection, and may be dead by then
    co_return dialled;
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
