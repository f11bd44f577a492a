#include "hub/limits/peer_fault_log.hpp"

#include <utility>

namespace device_streams::hub {

PeerFaultLog::PeerFaultLog(Log log, Clock& clock, WindowRateLimiter::Limits limits)
    : log_(std::move(log)), clock_(clock), gate_(limits) {
}

WindowRateLimiter::Verdict PeerFaultLog::ask_gate() {
    const std::lock_guard lock(mutex_);
    return gate_.event(clock_.now());
}

void PeerFaultLog::report(std::string_view peer, Errc fault, std::string_view what) {
    const auto verdict = ask_gate();
    if (!verdict.passes) return;
    if (verdict.left_out > 0) log_.warning("more peers were turned away", {{"lines_left_out", verdict.left_out}});
    log_.fault(LogLevel::warning, fault, what, {{"peer", peer}});
}

}  // namespace device_streams::hub
