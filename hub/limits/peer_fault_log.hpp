#pragma once

#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "hub/limits/source_gate.hpp"

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace device_streams::hub {

/// Log lines about peers that nobody vouches for: one line a fault, and a flood of faults becomes a count. A flood of
/// one fault hides no others, nor one from few sources (SourceGate). Denials have more room: they are what an attack on
/// credentials looks like. Any thread.
class PeerFaultLog {
 public:
    struct Limits {
        WindowRateLimiter::Limits of_fault{20, std::chrono::seconds(10)};
        unsigned of_source = 5;        ///< of these, from one source
        unsigned denials_for_one = 5;  ///< so many times as much room for denials
    };
    PeerFaultLog(Log log, Clock& clock) : PeerFaultLog(std::move(log), clock, Limits()) {}
    PeerFaultLog(Log log, Clock& clock, Limits limits);

    /// `what` is one clause: never payload, credentials or anything else the peer chose, but for ids that passed
    /// checks.
    void report(std::string_view peer, Errc fault, std::string_view what);

 private:
    WindowRateLimiter::Verdict ask_gate(std::string_view peer, Errc fault);
    unsigned room_for(Errc fault) const;

    Log log_;
    Clock& clock_;
    const Limits limits_;
    std::mutex mutex_;
    std::map<Errc, SourceGate> gates_;
};

}  // namespace device_streams::hub
