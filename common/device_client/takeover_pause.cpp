#include "common/device_client/takeover_pause.hpp"

#include "common/async/backoff.hpp"

#include <algorithm>

namespace device_streams::device {

namespace {
constexpr int longest_factor = 16;
}  // namespace

TakeoverPause::TakeoverPause(std::function<double()> random) : random_(std::move(random)) {
}

Clock::duration TakeoverPause::next(Clock::duration first, Clock::duration lived) {
    const bool early = factor_ > 0 && lived < 2 * longest_factor * first;
    factor_ = early ? std::min(2 * factor_, longest_factor) : 1;
    const auto whole = first * factor_;
    Backoff jitter({.first = whole / 2, .longest = whole / 2, .proof_of_life = {}}, random_);
    return whole / 2 + jitter.next();
}

}  // namespace device_streams::device
