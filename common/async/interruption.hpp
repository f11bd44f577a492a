#pragma once

#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>

#include <exception>

namespace device_streams {

/// The cancellation of a coroutine that callbacks of its strand can also interrupt, without a second coroutine beside
/// it that waits for them. The coroutine is spawned with slot(); all is used on its strand.
class Interruption {
 public:
    asio::cancellation_slot slot() { return signal_.slot(); }

    /// Terminal cancellation, as often as it is called; from the first on nothing is interruptible any more.
    void cancel();
    /// Ends the interruptible work that is under way, or else the next. The first `failure` is thrown where it ends.
    void interrupt(std::exception_ptr failure = nullptr);
    /// Runs `work` on the coroutine that was spawned with slot(), until it ends or is interrupted. Throws what `work`
    /// throws of its own, and operation_aborted when it is cancelled.
    asio::awaitable<void> interruptible(asio::awaitable<void> work);

 private:
    void end(const std::exception_ptr& of_work);

    asio::cancellation_signal signal_;
    bool cancelled_ = false;
    bool interrupted_ = false;  // and nobody has met it yet
    bool under_way_ = false;
    std::exception_ptr failure_;
};

}  // namespace device_streams
