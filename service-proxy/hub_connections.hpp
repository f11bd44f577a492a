#pragma once

#include "common/async/task_set.hpp"
#include "common/base/clock.hpp"
#include "common/base/log.hpp"
#include "common/http/connection.hpp"
#include "service-proxy/service_access.hpp"

#include <asio/steady_timer.hpp>

#include <memory>
#include <mutex>
#include <vector>

namespace device_streams::service {

/// HTTPS connections to the hub that wait for their next call. A pending call owns its connection; keep_warm() sees to
/// it that one idle connection is always there. Members may be called from any thread.
class HubConnections {
 public:
    HubConnections(const asio::any_io_executor& executor, ServiceAccess access, OpenLimits limits, Clock& clock,
                   Log log);

    /// The connection that was idle for the shortest time and still lives; null when there is none.
    std::unique_ptr<http::Connection> take_idle();
    /// A fresh connection. Throws Failure (DS-201 to DS-205).
    asio::awaitable<std::unique_ptr<http::Connection>> open();
    /// For the next call; dropped when it cannot carry one or enough are idle.
    void give_back(std::unique_ptr<http::Connection> connection);

    /// Opens an idle connection whenever there is none, with backoff while the hub is away, and replaces old ones. Runs
    /// on strand() until retire() or cancellation.
    asio::awaitable<void> keep_warm();
    const Strand& strand() const { return strand_; }
    /// Closes the idle connections and ends keep_warm(). Connections in use are not touched.
    void retire();

 private:
    struct Idle {
        std::unique_ptr<http::Connection> connection;
        Clock::time_point since;
    };
    void nudge();
    void drop_old();
    bool retired() const;
    asio::awaitable<bool> warm_up();
    asio::awaitable<void> sleep_until(Clock::time_point deadline, bool until_needed);
    asio::awaitable<void> nudged();

    const ServiceAccess access_;
    const OpenLimits limits_;
    Clock& clock_;
    const Log log_;
    Strand strand_;
    std::shared_ptr<asio::steady_timer> nudge_;  // on strand_: cancelling it wakes keep_warm()
    bool hub_is_away_ = false;                   // on strand_

    mutable std::mutex mutex_;
    std::vector<Idle> idle_;  // oldest first
    bool needed_ = false;     // somebody took the last idle connection
    bool retired_ = false;
};

}  // namespace device_streams::service
