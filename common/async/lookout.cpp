#include "common/async/lookout.hpp"

namespace device_streams {

void Lookout::look() {
    if (const auto next = look_()) look_at(*next);
}

void Lookout::look_at(Clock::time_point when) {
    timer_ = clock_.alarm(strand_, when);
    timer_->async_wait([held = weak_from_this()](const asio::error_code&) {
        if (const auto self = held.lock()) self->look();
    });
}

}  // namespace device_streams
