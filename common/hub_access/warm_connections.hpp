#pragma once

#include "common/async/event.hpp"
#include "common/async/task_set.hpp"
#include "common/base/clock.hpp"
#include "common/base/log.hpp"
#include "common/http/connection.hpp"
#include "common/hub_access/hub_access.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace device_streams {

struct WarmLimits {
    /// A request on a kept connection that is not acknowledged for so long makes us open another one besides.
    Clock::duration unacknowledged = std::chrono::seconds(1);
    std::size_t most_idle = 4;
    /// Idle connections are replaced after this long: before the hub's own limit of 60 s.
    Clock::duration longest_idle = std::chrono::seconds(50);
    /// keep_warm() ends once none was taken for so long.
    Clock::duration longest_unused = std::chrono::hours(24 * 365);
};

/// HTTPS connections to one place of the hub that wait for their next use, so that it finds TCP and TLS done. The taker
/// of one owns it; keep_warm() sees to it that one idle connection is always there. Members may be called from any
/// thread.
class WarmConnections {
 public:
    struct Taken {
        std::unique_ptr<http::Connection> connection;
        bool kept = false;  ///< it was idle, so it may be dead by now
    };
    /// Sends a request on a connection and returns its answer.
    using Attempt = std::function<asio::awaitable<http::Response>(http::Connection&)>;

    WarmConnections(const asio::any_io_executor& executor, HubAccess hub, Endpoint where, WarmLimits limits,
                    Clock& clock, Log log);

    /// The connection that was idle for the shortest time and still lives, or a fresh one. Throws Failure (DS-201 to
    /// DS-205).
    asio::awaitable<Taken> take();
    /// Makes the attempt on what was taken. If that was kept and turns out to be dead, the attempt is made again on a
    /// fresh connection, which takes its place.
    asio::awaitable<http::Response> exchange(Taken& on, Attempt attempt);
    /// For the next use; dropped when it cannot carry one or enough are idle.
    void give_back(std::unique_ptr<http::Connection> connection);

    /// Opens an idle connection whenever there is none, with backoff while the hub is away, and replaces old ones. Runs
    /// on strand() until retire(), cancellation, or a long time without use; all idle connections are closed then.
    asio::awaitable<void> keep_warm();
    const Strand& strand() const { return strand_; }
    /// Closes the idle connections and ends keep_warm(). Connections in use are not touched.
    void retire();
    bool retired() const;
    /// Whether they lead to `named` in the way that `hub` describes.
    bool lead_to(const HubAccess& hub, const Endpoint& named) const;

 private:
    struct Idle {
        std::unique_ptr<http::Connection> connection;
        Clock::time_point since;
    };
    std::unique_ptr<http::Connection> take_idle();
    asio::awaitable<std::unique_ptr<http::Connection>> open();
    asio::awaitable<std::optional<http::Response>> exchange_on_kept(Taken& on, const Attempt& attempt);
    asio::awaitable<void> replace_if_dead(http::Connection& kept, std::unique_ptr<http::Connection>& fresh);
    void nudge();
    void drop_old();
    Clock::time_point next_change() const;
    bool is_unused() const;
    asio::awaitable<bool> warm_up();
    asio::awaitable<void> sleep_until(Clock::time_point deadline, bool until_needed);

    const HubAccess hub_;
    const Endpoint where_;
    const WarmLimits limits_;
    Clock& clock_;
    const Log log_;
    Strand strand_;
    std::shared_ptr<Event> nudged_;  // on strand_: for keep_warm()
    bool hub_is_away_ = false;       // on strand_

    mutable std::mutex mutex_;
    std::vector<Idle> idle_;  // oldest first
    Clock::time_point last_taken_;
    bool needed_ = false;  // somebody took the last idle connection
    bool retired_ = false;
};

}  // namespace device_streams
