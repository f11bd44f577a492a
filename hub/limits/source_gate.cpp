#include "hub/limits/source_gate.hpp"

#include "hub/limits/source_address.hpp"

namespace device_streams::hub {

namespace {
// Sources that are told apart in one window; the others share one entry.
constexpr std::size_t most_sources = 1000;
}  // namespace

WindowRateLimiter::Verdict SourceGate::event(std::string_view peer, Clock::time_point now) {
    if (now >= window_end_) {
        by_source_.clear();
        window_end_ = now + window_;
    }
    auto source = sources_of(peer).front();
    if (by_source_.size() >= most_sources && !by_source_.contains(source)) source.clear();
    const auto nth = ++by_source_[source];
    if (nth == 1 && !all_.has_room(now) && first_of_source_.event(now).passes) return {true, 0};
    if (nth <= of_source_) return all_.event(now);
    return {false, all_.leave_out(now)};
}

}  // namespace device_streams::hub
