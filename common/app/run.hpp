#pragma once

#include "common/app/privileges.hpp"
#include "common/app/process.hpp"
#include "common/base/clock.hpp"
#include "common/base/exit_code.hpp"
#include "common/base/log.hpp"
#include "common/net/inherited_sockets.hpp"

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace device_streams {

/// The part of a program that runs until it is told to stop. Members are called on the control strand.
class Component {
 public:
    virtual ~Component() = default;
    /// Listens and connects; returns when ready for work. Throws Failure when it cannot start. A stop that comes first
    /// cancels it. However it ends, the three calls below follow.
    virtual asio::awaitable<void> start() = 0;
    /// Stops taking new work: closes listeners, leaves the control link. Running streams go on. Called once, before
    /// every form of stop (hand-over, drain, cancel).
    virtual void stop_accepting() = 0;
    /// Ends what still runs, now; peers hear `stopping`. Called at most once.
    virtual void cancel() = 0;
    /// Returns when nothing runs any more. Called once, after stop_accepting(); the component is dropped afterwards.
    virtual asio::awaitable<void> until_done() = 0;
};

/// What reading the configuration again has led to.
struct Changes {
    std::vector<std::string> used;         ///< keys and files whose new content is in use
    std::vector<std::string> for_restart;  ///< keys whose value differs from that in use, which takes a restart
};

/// Gives a running component new settings: all of them, or none and a Failure that says why. Called on the control
/// strand.
class Reloader {
 public:
    virtual ~Reloader() = default;
    /// Reads the configuration and the files that it names again.
    virtual Changes reload() = 0;
    /// Takes over files that were renewed on disk; the configuration stays as it was read. nullopt: there are none.
    /// Called every few seconds.
    virtual std::optional<Changes> renew() = 0;
};

/// What a component may use; outlives it.
struct Environment {
    asio::io_context& io;
    Clock& clock;
    Log log;
    /// For work that ends by itself: stops the program as a request to stop does, but with this exit code. Any thread.
    std::function<void(int exit_code)> finish = [](int) {};
    /// Reads the configuration again as a request to reload does, and returns what has changed. Throws Failure when the
    /// old settings stay. Any thread.
    std::function<asio::awaitable<Changes>()> reload = {};
    /// Listening sockets that the service manager holds for this program.
    std::shared_ptr<InheritedSockets> inherited = std::make_shared<InheritedSockets>();
};

struct RunSettings {
    std::string program;            ///< for the first log line
    std::string record_plane = {};  ///< the same
    RunAs run_as = {};     ///< taken on first, and root's last rights are given up once the component has started
    unsigned threads = 1;  ///< 0: one per core
    std::chrono::milliseconds drain = std::chrono::seconds(30);
    bool quiet =
        false;  ///< starting and stopping are told at debug level: for short-lived programs such as ProxyCommand
};

/// Runs one component under requests from outside (requests.hpp): one to stop drains (a second one cancels, a third one
/// leaves the process), one to hand over has no limit, and one to reload works as far as there is a `reloader`, which
/// also looks for renewed files meanwhile; all of them are ignored from its return on. Tells the service manager how
/// far it is and feeds its watchdog; raises the limit of descriptors; forbids core dumps of secrets. Returns the exit
/// code; a Failure from start() is logged with its next step.
int run(const RunSettings& settings, Log log, const std::function<std::unique_ptr<Component>(Environment)>& make,
        Reloader* reloader = nullptr);

}  // namespace device_streams
