#include "common/app/stop_policy.hpp"

namespace device_streams {

StopStep StopPolicy::go(StopStep next) {
    phase_ = next;
    return next;
}

StopStep StopPolicy::on_terminate() {
    switch (phase_) {
        case StopStep::nothing:
        case StopStep::hand_over:
            return go(StopStep::drain);
        case StopStep::drain:
            return go(StopStep::cancel);
        default:
            return go(StopStep::give_up);
    }
}

StopStep StopPolicy::on_hand_over() {
    return phase_ == StopStep::nothing ? go(StopStep::hand_over) : StopStep::nothing;
}

StopStep StopPolicy::on_time_up() {
    switch (phase_) {
        case StopStep::drain:
            return go(StopStep::cancel);
        case StopStep::cancel:
            return go(StopStep::give_up);
        default:
            return StopStep::nothing;
    }
}

}  // namespace device_streams
