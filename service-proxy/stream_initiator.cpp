#include "service-proxy/stream_initiator.hpp"

#include "common/async/backoff.hpp"
#include "common/async/join.hpp"
#include "common/base/error.hpp"
#include "common/base/version.hpp"
#include "common/http/date.hpp"
#include "common/tunnel/leg_options.hpp"
#include "service-proxy/rest_call.hpp"

#include <asio/error.hpp>

namespace device_streams::service {

namespace {

// A kept connection that the hub closed meanwhile: most likely it never looked at our call, so it is made again.
bool is_stale(const http::Connection& connection, const std::exception_ptr& failure) {
    if (connection.answer_began()) return false;
    try {
        std::rethrow_exception(failure);
    } catch (const LegError& broken) {
        return broken.ending() != Ending::protocol_violation;
    } catch (...) {
        return false;
    }
}

asio::awaitable<void> until_lost(Transport& transport) {
    try {
        co_await transport.watch();
    } catch (const LegError& gone) {
        if (gone.ending() == Ending::lost) throw;
    }
    co_await forever();  // it was reset: what came before can still be read
}

// The answer may take long, as the hub waits for the device; that nobody is there any more is known much sooner.
asio::awaitable<http::Response> exchange(http::Connection& connection, http::Request post) {
    std::optional<http::Response> answer;
    auto exchanged = detail::store(connection.exchange(std::move(post)), answer);
    co_await first_of(std::move(exchanged), until_lost(connection.transport()));
    co_return std::move(*answer);
}

Failure with_clock_note(const Failure& refusal, const std::string& note) {
    return note.empty() ? refusal : Failure(refusal.errc(), refusal.detail() + "; " + note);
}

Endpoint endpoint_of(const iothub::StreamUrl& url) {
    return {.host = url.host, .port = url.port, .path = {}};
}

}  // namespace

StreamInitiator::StreamInitiator(const asio::any_io_executor& executor, ServiceAccess access, OpenLimits limits,
                                 Clock& clock, Log log)
    : access_(access),
      limits_(limits),
      clock_(clock),
      log_(log),
      token_(access.credential),
      connections_(executor, access, limits, clock, std::move(log)) {
}

asio::awaitable<std::unique_ptr<ws::WsStream>> StreamInitiator::open(iothub::Target target, StreamName name) {
    const iothub::ServicePath what{.target = std::move(target), .name = to_string(name)};
    auto answered = co_await request(what);
    auto connection = co_await connection_for(answered.granted, answered.connection);
    auto leg = co_await open_leg(std::move(connection), std::move(answered.granted));
    // Not sooner: until our leg is there, our hub takes the end of the connection that asked for our leaving.
    if (answered.connection) connections_.give_back(std::move(answered.connection));
    co_return leg;
}

asio::awaitable<std::unique_ptr<ws::WsStream>> StreamInitiator::open_leg(std::unique_ptr<http::Connection> connection,
                                                                         GrantedStream granted) {
    auto ask = leg_handshake(granted.url.target, granted.token, std::string("service-proxy/") + version);
    const auto options = leg_options(ws::Role::client, granted.features, access_.hub.liveness, clock_);
    const auto named = endpoint_of(granted.url);
    try {
        co_return co_await upgrade(std::move(connection), named, std::move(ask), options, limits_.hub, clock_);
    } catch (const UpgradeRefused& refusal) {
        throw Failure(Errc::hub_refused_stream_leg, describe_answer(refusal.answer));
    }
}

asio::awaitable<StreamInitiator::Answered> StreamInitiator::request(iothub::ServicePath what) {
    Backoff pause({.first = std::chrono::milliseconds(500), .longest = std::chrono::seconds(4), .proof_of_life = {}});
    for (unsigned tries = 1;; ++tries) {
        std::unique_ptr<http::Connection> connection;
        const auto answer = co_await call(what, connection);
        auto meaning = interpret_answer(answer, what.target.to_string());
        if (auto* granted = std::get_if<GrantedStream>(&meaning))
            co_return Answered{std::move(*granted), std::move(connection)};

        connections_.give_back(std::move(connection));
        const auto& refusal = std::get<Failure>(meaning);
        if (refusal.errc() == Errc::service_unauthorized) {
            token_.forget();
            throw with_clock_note(refusal, http::clock_note(answer.headers, clock_.wall_now()));
        }
        if (refusal.errc() != Errc::throttled || tries >= limits_.tries_when_throttled) throw refusal;
        co_await clock_.sleep_for(pause.next());
    }
}

asio::awaitable<http::Response> StreamInitiator::call(const iothub::ServicePath& what,
                                                      std::unique_ptr<http::Connection>& connection) {
    std::exception_ptr failure;
    try {
        connection = connections_.take_idle();
        if (connection) {
            auto answer = co_await call_on_kept(what, connection);
            if (answer) co_return std::move(*answer);
        }
        if (!connection) connection = co_await connections_.open();
        co_return co_await call_on(what, *connection);
    } catch (...) {
        failure = std::current_exception();
    }
    if (is_cancellation(failure)) std::rethrow_exception(failure);
    throw hub_failure(failure, Errc::hub_unreachable, "stream request to " + access_.endpoint().to_string());
}

asio::awaitable<http::Response> StreamInitiator::call_on(const iothub::ServicePath& what,
                                                         http::Connection& connection) {
    const auto limit = limits_.connect + limits_.response + limits_.hub;
    auto post = make_stream_call(what, host_header(), token_.current(clock_), limits_);
    co_return co_await with_timeout(exchange(connection, std::move(post)), limit, clock_);
}

// nullopt: the connection was of no use, and the call is to be made on another one; which may be there already.
asio::awaitable<std::optional<http::Response>> StreamInitiator::call_on_kept(
    const iothub::ServicePath& what, std::unique_ptr<http::Connection>& connection) {
    std::optional<http::Response> answer;
    std::unique_ptr<http::Connection> fresh;
    std::exception_ptr failure;
    try {
        auto calling = detail::store(call_on(what, *connection), answer);
        co_await first_of(std::move(calling), replace_if_dead(*connection, fresh));
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure && !is_stale(*connection, failure)) std::rethrow_exception(failure);
    if (!answer) connection = std::move(fresh);
    co_return answer;
}

// The hub's machine acknowledges a call soon, however long the answer takes. A call that it has not acknowledged by the
// time a fresh connection is up has met a dead connection, not a slow network, and was most likely never heard. Never
// returns when it was acknowledged.
asio::awaitable<void> StreamInitiator::replace_if_dead(http::Connection& kept,
                                                       std::unique_ptr<http::Connection>& fresh) {
    co_await clock_.sleep_for(limits_.unacknowledged);
    std::unique_ptr<http::Connection> other;
    std::exception_ptr failure;
    try {
        if (kept.transport().delivering()) other = co_await connections_.open();
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure && is_cancellation(failure)) std::rethrow_exception(failure);
    if (kept.transport().delivering()) {
        if (failure) std::rethrow_exception(failure);
        log_.info("a kept connection to the hub was dead");
        fresh = std::move(other);
        co_return;
    }
    if (other) connections_.give_back(std::move(other));
    co_await forever();
}

// Our hub routes requests, not connections: the connection that carried the call becomes the leg, which saves a TCP and
// a TLS handshake. Other hubs name another host; `used` stays then.
asio::awaitable<std::unique_ptr<http::Connection>> StreamInitiator::connection_for(
    const GrantedStream& granted, std::unique_ptr<http::Connection>& used) {
    const auto named = endpoint_of(granted.url);
    const bool same_place = access_.hub.route(named) == access_.hub.route(access_.endpoint());
    if (granted.hub_is_ours && used->reusable() && same_place) {
        used->transport().give_up_after(access_.hub.liveness.dead_after);
        co_return std::move(used);
    }
    co_return std::make_unique<http::Connection>(co_await open_tls(access_.hub, named, clock_));
}

std::string StreamInitiator::host_header() const {
    return access_.port == 443 ? access_.hub.host_name : access_.endpoint().to_string();
}

}  // namespace device_streams::service
