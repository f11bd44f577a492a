#include "common/async/poll_timer.hpp"

namespace device_streams {

void PollTimer::look() {
    if (const auto next = look_()) look_at(*next);
}

void PollTimer::look_at(Clock::time_point when) {
    timer_ = clock_.alarm(strand_, when);
    timer_->async_wait([held = weak_from_this()](const asio::error_code&) {
        if (const auto self = held.lock()) self->look();
    });
}

}  // namespace device_streams
