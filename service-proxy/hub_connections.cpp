#include "service-proxy/hub_connections.hpp"

#include "common/async/backoff.hpp"
#include "common/async/join.hpp"
#include "common/base/error.hpp"

#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <array>

namespace device_streams::service {

namespace {

// Between calls the hub has nothing to say: end of stream, a fault and stray bytes all make a connection useless.
bool lives(http::Connection& connection) {
    std::array<std::byte, 1> probe;
    try {
        return !connection.transport().try_read(probe).has_value();
    } catch (const std::system_error&) {
        return false;
    }
}

}  // namespace

HubConnections::HubConnections(const asio::any_io_executor& executor, ServiceAccess access, OpenLimits limits,
                               Clock& clock, Log log)
    : access_(std::move(access)),
      limits_(limits),
      clock_(clock),
      log_(std::move(log)),
      strand_(asio::make_strand(executor)),
      nudge_(std::make_shared<asio::steady_timer>(strand_, asio::steady_timer::time_point::max())) {
}

std::unique_ptr<http::Connection> HubConnections::take_idle() {
    std::unique_ptr<http::Connection> found;
    {
        const std::lock_guard lock(mutex_);
        while (!idle_.empty() && !found) {
            if (lives(*idle_.back().connection)) found = std::move(idle_.back().connection);
            idle_.pop_back();
        }
        if (!idle_.empty() || needed_) return found;
        needed_ = true;
    }
    nudge();
    return found;
}

asio::awaitable<std::unique_ptr<http::Connection>> HubConnections::open() {
    auto transport = co_await open_tls(access_.hub, access_.endpoint(), clock_);
    transport->give_up_after(limits_.hub);
    co_return std::make_unique<http::Connection>(std::move(transport));
}

void HubConnections::give_back(std::unique_ptr<http::Connection> connection) {
    if (!connection->reusable()) return;
    const std::lock_guard lock(mutex_);
    if (retired_ || idle_.size() >= std::max<std::size_t>(limits_.most_idle, 1)) return;
    needed_ = false;
    idle_.push_back({std::move(connection), clock_.now()});
}

void HubConnections::retire() {
    {
        const std::lock_guard lock(mutex_);
        retired_ = true;
        idle_.clear();
    }
    nudge();
}

void HubConnections::nudge() {
    asio::post(strand_, [timer = nudge_] { timer->cancel(); });
}

bool HubConnections::retired() const {
    const std::lock_guard lock(mutex_);
    return retired_;
}

void HubConnections::drop_old() {
    const auto oldest_good = clock_.now() - limits_.longest_idle;
    const std::lock_guard lock(mutex_);
    std::erase_if(idle_, [&](const Idle& idle) { return idle.since <= oldest_good || !lives(*idle.connection); });
}

asio::awaitable<void> HubConnections::keep_warm() {
    Backoff backoff(
        {.first = std::chrono::milliseconds(500), .longest = std::chrono::seconds(30), .proof_of_life = {}});
    while (!retired()) {
        drop_old();
        Clock::time_point oldest = Clock::time_point::max();
        {
            const std::lock_guard lock(mutex_);
            if (!idle_.empty()) oldest = idle_.front().since;
        }
        if (oldest != Clock::time_point::max()) {
            co_await sleep_until(oldest + limits_.longest_idle, true);
        } else if (co_await warm_up()) {
            backoff.lived(Clock::duration::zero());
        } else {
            co_await sleep_until(clock_.now() + backoff.next(), false);
        }
    }
}

asio::awaitable<bool> HubConnections::warm_up() {
    std::unique_ptr<http::Connection> connection;
    std::string problem;
    try {
        connection = co_await open();
    } catch (const Failure& failure) {
        problem = explain(failure);
    }
    // One line when the hub goes away and one when it is back, however long that takes.
    if (!connection && !hub_is_away_) log_.warning(problem);
    if (connection && hub_is_away_) log_.info("the hub is reached again");
    hub_is_away_ = !connection;
    if (!connection) co_return false;
    give_back(std::move(connection));
    co_return true;
}

asio::awaitable<void> HubConnections::sleep_until(Clock::time_point deadline, bool until_needed) {
    {
        const std::lock_guard lock(mutex_);
        if (retired_ || (until_needed && needed_)) co_return;
    }
    co_await first_of(clock_.sleep_until(deadline), nudged());
}

asio::awaitable<void> HubConnections::nudged() {
    asio::error_code woken;
    co_await nudge_->async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

}  // namespace device_streams::service
