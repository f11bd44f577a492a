#include "hub/limits/peer_fault_log.hpp"

namespace device_streams::hub {

PeerFaultLog::PeerFaultLog(Log log, Clock& clock, Limits limits)
    : log_(std::move(log)), clock_(clock), limits_(limits) {
}

unsigned PeerFaultLog::room_for(Errc fault) const {
    return fault == Errc::credential_refused || fault == Errc::stream_not_allowed ? limits_.denials_for_one : 1;
}

WindowRateLimiter::Verdict PeerFaultLog::ask_gate(std::string_view peer, Errc fault) {
    const auto now = clock_.now();
    const auto room = room_for(fault);
    const std::lock_guard lock(mutex_);
    auto found = gates_.find(fault);
    if (found == gates_.end()) {
        const WindowRateLimiter::Limits all{limits_.of_fault.events * room, limits_.of_fault.window};
        found = gates_.emplace(fault, SourceGate(all, limits_.of_source * room)).first;
    }
    return found->second.event(peer, now);
}

void PeerFaultLog::report(std::string_view peer, Errc fault, std::string_view what) {
    const auto verdict = ask_gate(peer, fault);
    if (verdict.left_out > 0)
        log_.warning("more peers were turned away",
                     {{"code", describe(fault).id}, {"lines_left_out", verdict.left_out}});
    if (verdict.passes) log_.fault(LogLevel::warning, fault, what, {{"peer", peer}});
}

}  // namespace device_streams::hub
