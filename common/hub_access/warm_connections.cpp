#include "common/hub_access/warm_connections.hpp"

#include "common/async/backoff.hpp"
#include "common/async/join.hpp"
#include "common/base/error.hpp"

#include <asio/post.hpp>

#include <algorithm>
#include <array>

namespace device_streams {

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

// A kept connection that the hub closed meanwhile: most likely it never looked at our call, so it is made again.
bool is_stale(const http::Connection& connection, const std::exception_ptr& failure) {
    if (connection.answer_began()) return false;
    try {
        std::rethrow_exception(failure);
    } catch (const StreamError& broken) {
        return broken.close_reason() != CloseReason::protocol_violation;
    } catch (...) {
        return false;
    }
}

}  // namespace

WarmConnections::WarmConnections(const asio::any_io_executor& executor, HubAccess hub, Endpoint where,
                                 WarmLimits limits, Clock& clock, Log log)
    : hub_(std::move(hub)),
      where_(std::move(where)),
      limits_(limits),
      clock_(clock),
      log_(std::move(log)),
      strand_(asio::make_strand(executor)),
      nudged_(std::make_shared<Event>(strand_)),
      last_taken_(clock.now()) {
}

bool WarmConnections::lead_to(const HubAccess& hub, const Endpoint& named) const {
    return named == where_ && hub.tls == hub_.tls && hub.proxy == hub_.proxy && hub.route(named) == hub_.route(where_);
}

std::unique_ptr<http::Connection> WarmConnections::take_idle() {
    std::unique_ptr<http::Connection> found;
    {
        const std::lock_guard lock(mutex_);
        last_taken_ = clock_.now();
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

asio::awaitable<WarmConnections::Taken> WarmConnections::take() {
    Taken taken{take_idle(), true};
    if (taken.connection) co_return taken;
    taken.connection = co_await open();
    taken.kept = false;
    co_return taken;
}

asio::awaitable<http::Response> WarmConnections::exchange(Taken& on, Attempt attempt) {
    if (on.kept) {
        auto answer = co_await exchange_on_kept(on, attempt);
        if (answer) co_return std::move(*answer);
        on.kept = false;
        if (!on.connection) on.connection = co_await open();
    }
    co_return co_await attempt(*on.connection);
}

// nullopt: the connection was of no use, and another one takes its place; which may be there already.
asio::awaitable<std::optional<http::Response>> WarmConnections::exchange_on_kept(Taken& on, const Attempt& attempt) {
    std::optional<http::Response> answer;
    std::unique_ptr<http::Connection> fresh;
    std::exception_ptr failure;
    try {
        auto exchanging = store(attempt(*on.connection), answer);
        co_await first_of(std::move(exchanging), replace_if_dead(*on.connection, fresh));
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure && !is_stale(*on.connection, failure)) std::rethrow_exception(failure);
    if (!answer) {
        on.connection->transport().abort(CloseReason::lost);  // so that nothing of the request goes out any more
        on.connection = std::move(fresh);
    }
    co_return answer;
}

// The hub's machine acknowledges a request soon, however long the answer takes. A request that it has not acknowledged
// by the time a fresh connection is up has met a dead connection, not a slow network, and was most likely never heard.
// Never returns when it was acknowledged.
asio::awaitable<void> WarmConnections::replace_if_dead(http::Connection& kept,
                                                       std::unique_ptr<http::Connection>& fresh) {
    co_await clock_.sleep_for(limits_.unacknowledged);
    std::unique_ptr<http::Connection> other;
    std::exception_ptr failure;
    try {
        if (kept.transport().undelivered() > 0) other = co_await open();
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure && is_cancellation(failure)) std::rethrow_exception(failure);
    if (kept.transport().undelivered() > 0) {
        if (failure) std::rethrow_exception(failure);
        log_.info("a kept connection to the hub was dead");
        fresh = std::move(other);
        co_return;
    }
    if (other) give_back(std::move(other));
    co_await forever();
}

asio::awaitable<std::unique_ptr<http::Connection>> WarmConnections::open() {
    auto transport = co_await open_tls(hub_, where_, clock_);
    transport->give_up_after(hub_.timeout);
    co_return std::make_unique<http::Connection>(std::move(transport));
}

void WarmConnections::give_back(std::unique_ptr<http::Connection> connection) {
    if (!connection->reusable()) return;
    const std::lock_guard lock(mutex_);
    if (retired_ || idle_.size() >= std::max<std::size_t>(limits_.most_idle, 1)) return;
    needed_ = false;
    idle_.push_back({std::move(connection), clock_.now()});
}

void WarmConnections::retire() {
    {
        const std::lock_guard lock(mutex_);
        retired_ = true;
        idle_.clear();
    }
    nudge();
}

void WarmConnections::nudge() {
    asio::post(strand_, [event = nudged_] { event->wake(); });
}

bool WarmConnections::retired() const {
    const std::lock_guard lock(mutex_);
    return retired_;
}

void WarmConnections::drop_old() {
    const auto oldest_good = clock_.now() - limits_.longest_idle;
    const std::lock_guard lock(mutex_);
    std::erase_if(idle_, [&](const Idle& idle) { return idle.since <= oldest_good || !lives(*idle.connection); });
}

asio::awaitable<void> WarmConnections::keep_warm() {
    Backoff backoff(
        {.first = std::chrono::milliseconds(500), .longest = std::chrono::seconds(30), .proof_of_life = {}});
    while (!retired() && !is_unused()) {
        drop_old();
        const auto next = next_change();
        if (next != Clock::time_point::max()) {
            co_await sleep_until(next, true);
        } else if (co_await warm_up()) {
            backoff.lived(Clock::duration::zero());
        } else {
            co_await sleep_until(clock_.now() + backoff.next(), false);
        }
    }
    retire();
}

// When an idle connection is too old, or has not been wanted for too long; max: there is none.
Clock::time_point WarmConnections::next_change() const {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return Clock::time_point::max();
    return std::min(idle_.front().since + limits_.longest_idle, last_taken_ + limits_.longest_unused);
}

bool WarmConnections::is_unused() const {
    const std::lock_guard lock(mutex_);
    return clock_.now() - last_taken_ >= limits_.longest_unused;
}

asio::awaitable<bool> WarmConnections::warm_up() {
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

asio::awaitable<void> WarmConnections::sleep_until(Clock::time_point deadline, bool until_needed) {
    {
        const std::lock_guard lock(mutex_);
        if (retired_ || (until_needed && needed_)) co_return;
    }
    co_await first_of(clock_.sleep_until(deadline), nudged_->wait());
}

}  // namespace device_streams
