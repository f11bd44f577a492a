#include "hub/complaints.hpp"

#include <utility>

namespace device_streams::hub {

Complaints::Complaints(Log log, Clock& clock, Limits limits) : log_(std::move(log)), clock_(clock), limits_(limits) {
}

void Complaints::about(std::string_view peer, Errc fault, std::string_view what) {
    std::uint64_t left_out = 0;
    {
        const std::lock_guard lock(mutex_);
        if (const auto now = clock_.now(); now >= window_end_) {
            window_end_ = now + limits_.window;
            lines_ = 0;
            left_out = std::exchange(left_out_, 0);
        }
        if (lines_ >= limits_.lines) {
            ++left_out_;
            return;
        }
        ++lines_;
    }
    if (left_out > 0) log_.warning("more peers were turned away", {{"lines_left_out", left_out}});
    const auto& info = describe(fault);
    log_.warning(info.summary, {{"code", info.id}, {"peer", peer}, {"reason", what}, {"next", info.advice}});
}

}  // namespace device_streams::hub
