#pragma once

#include <array>
#include <csignal>
#include <cstddef>

/// What a program asks of its process, at start and at its end.
namespace device_streams {

/// Raises RLIMIT_NOFILE to the hard limit; returns the limit now in force.
std::size_t raise_descriptor_limit();

/// No core dumps and no reading of this process's memory by others of the same user: it holds keys.
void forbid_core_dumps();

/// Writing to a closed socket or pipe is an error, not a signal.
void ignore_broken_pipes();

/// What run() heeds: SIGTERM and SIGINT to stop, SIGUSR2 to hand over, SIGHUP to reload.
inline constexpr std::array heeded_signals{SIGTERM, SIGINT, SIGUSR2, SIGHUP};

/// Holds back the signals that run() heeds, in this thread, and drops those that came meanwhile at its end; from then
/// on they are ignored. For the way out, on which nobody heeds them any more: they would end the process with a code
/// that says it failed. A lookup that hangs keeps a thread of Asio's, which hears them still: so much the better.
class UnheardSignals {
 public:
    UnheardSignals();
    ~UnheardSignals();
    UnheardSignals(const UnheardSignals&) = delete;
    UnheardSignals& operator=(const UnheardSignals&) = delete;

 private:
    sigset_t before_{};
};

}  // namespace device_streams
