#pragma once

namespace device_streams {

/// What run() does next on its way to the end.
enum class StopStep {
    nothing,
    hand_over,  ///< take no new work; running streams go on without limit
    drain,      ///< take no new work; running streams have `drain` to end by themselves
    cancel,     ///< end what runs, now
    give_up,    ///< something does not end: leave the process
};

/// The order of the stops, without signals and timers: hand-over, drain and cancel, each at most once and never back.
class StopPolicy {
 public:
    /// A request to stop, or work that ended by itself.
    StopStep on_terminate();
    /// A request to hand over: another process takes over.
    StopStep on_hand_over();
    /// Nothing runs that could be drained.
    StopStep on_start_failed() { return go(StopStep::cancel); }
    /// The step under way has used up its time.
    StopStep on_time_up();

    bool is_stopping() const { return phase_ != StopStep::nothing; }

 private:
    StopStep go(StopStep next);
    StopStep phase_ = StopStep::nothing;
};

}  // namespace device_streams
