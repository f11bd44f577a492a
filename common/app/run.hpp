#pragma once

#include "common/base/clock.hpp"
#include "common/base/log.hpp"

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>

namespace device_streams {

/// Exit codes (sysexits.h where one fits).
enum ExitCode : int { exit_ok = 0, exit_failure = 1, exit_usage = 64, exit_config = 78 };

/// The part of a program that runs until it is told to stop. Members are called on the control strand.
class Component {
 public:
    virtual ~Component() = default;
    /// Listens and connects; returns when ready for work. Throws Failure when it cannot start.
    virtual asio::awaitable<void> start() = 0;
    /// Stops taking new work: closes listeners, leaves the control link. Running streams go on. Called before every
    /// form of stop (design.md 3).
    virtual void stop_accepting() = 0;
    /// Ends what still runs, now; peers hear `stopping`.
    virtual void cancel() = 0;
    /// Returns when nothing runs any more.
    virtual asio::awaitable<void> until_done() = 0;
    /// SIGHUP: reads the configuration again; throws Failure (old settings stay) when it is bad.
    virtual void reload() = 0;
};

/// What a component may use; outlives it.
struct Environment {
    asio::io_context& io;
    Clock& clock;
    Log log;
};

struct RunSettings {
    std::string program;      ///< for the first log line and sd_notify
    unsigned threads = 1;     ///< 0: one per core
    std::chrono::seconds drain = std::chrono::seconds(30);
};

/// Runs one component under signals: SIGTERM and SIGINT drain (a second one cancels), SIGUSR2 hands over (no limit),
/// SIGHUP reloads; tells systemd READY, RELOADING and STOPPING; raises RLIMIT_NOFILE to the hard limit; forbids core dumps
/// of secrets (PR_SET_DUMPABLE 0). Returns the exit code; a Failure from start() is logged with its next step.
int run(const RunSettings& settings, Log log, const std::function<std::unique_ptr<Component>(Environment)>& make);

/// Raises RLIMIT_NOFILE to the hard limit; returns it.
std::size_t raise_descriptor_limit();

}  // namespace device_streams
