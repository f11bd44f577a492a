#include "common/service_client/stream_initiator.hpp"

#include "common/async/backoff.hpp"
#include "common/async/join.hpp"
#include "common/base/error.hpp"
#include "common/base/version.hpp"
#include "common/http/date.hpp"
#include "common/service_client/rest_call.hpp"
#include "common/tunnel/leg_options.hpp"
#include "common/tunnel/stream_owner.hpp"

#include <asio/error.hpp>

#include <algorithm>

namespace device_streams::service {

namespace {

asio::awaitable<void> until_lost(Transport& transport) {
    try {
        co_await wait_until_lost(transport);
    } catch (const StreamError& on_lost) {
        if (on_lost.close_reason() == CloseReason::lost) throw;
    }
    co_await forever();  // it was reset: what came before can still be read
}

// The answer may take long, as the hub waits for the device; that nobody is there any more is known much sooner.
asio::awaitable<http::Response> exchange(http::Connection& connection, http::Request post) {
    std::optional<http::Response> answer;
    auto exchanged = store(connection.exchange(std::move(post)), answer);
    co_await first_of(std::move(exchanged), until_lost(connection.transport()));
    co_return std::move(*answer);
}

Clock::duration wait_asked_for(const http::Response& answer) {
    return retry_after(answer).value_or(std::chrono::seconds(0));
}

Failure refused_leg(const http::Response& answer) {
    return {lost_upgrade(answer) ? Errc::upgrade_removed : Errc::hub_refused_stream_leg,
            "stream leg: " + describe_answer(answer)};
}

}  // namespace

StreamInitiator::StreamInitiator(const asio::any_io_executor& executor, ServiceAccess access, OpenLimits limits,
                                 Clock& clock, Log log)
    : access_(access),
      limits_(limits),
      clock_(clock),
      token_(access.credential),
      connections_(executor, access.hub, access.endpoint(), limits.warm, clock, std::move(log)) {
}

asio::awaitable<std::unique_ptr<ws::WsStream>> StreamInitiator::open(iothub::Target target, StreamName name) {
    const iothub::ServicePath what{.target = std::move(target), .name = to_string(name)};
    auto answered = co_await request(what);
    hub_is_ours_ = answered.granted.hub_is_ours;
    if (answered.granted.leg_is_here) {
        answered.connection->transport().give_up_after(access_.hub.liveness.dead_after);
        co_return as_stream(std::move(answered.connection), options_of(answered.granted));
    }
    auto connection = co_await connection_for(answered.granted, answered.connection);
    auto leg = co_await open_leg(std::move(connection), std::move(answered.granted));
    // Not sooner: until our leg is there, our hub takes the end of the connection that asked for our leaving.
    if (answered.connection) connections_.give_back(std::move(answered.connection));
    co_return leg;
}

asio::awaitable<std::unique_ptr<ws::WsStream>> StreamInitiator::open_leg(std::unique_ptr<http::Connection> connection,
                                                                         Granted granted) {
    auto ask = leg_handshake(granted.url.target, granted.token, std::string("service-proxy/") + version);
    const auto named = granted.url.endpoint();
    auto upgraded =
        co_await upgrade(std::move(connection), named, std::move(ask), options_of(granted), limits_.hub, clock_);
    if (!upgraded.stream) throw refused_leg(upgraded.answer);
    co_return std::move(upgraded.stream);
}

ws::WsOptions StreamInitiator::options_of(const Granted& granted) const {
    return leg_options(ws::Role::client, granted.features, access_.hub.liveness, clock_);
}

asio::awaitable<StreamInitiator::Answered> StreamInitiator::request(iothub::ServicePath what) {
    Backoff pause({.first = std::chrono::milliseconds(500), .longest = std::chrono::seconds(4), .proof_of_life = {}});
    const auto last_try = clock_.now() + limits_.throttled;
    for (unsigned tries = 1;; ++tries) {
        std::unique_ptr<http::Connection> connection;
        const auto answer = co_await call(what, connection);
        auto meaning = interpret_answer(answer, what.target.to_string());
        if (auto* granted = std::get_if<Granted>(&meaning))
            co_return Answered{std::move(*granted), std::move(connection)};

        connections_.give_back(std::move(connection));
        const auto& refusal = std::get<Failure>(meaning);
        if (refusal.errc() == Errc::service_unauthorized) {
            token_.forget();
            throw refused_credential(refusal, answer.headers);
        }
        if (refusal.errc() != Errc::throttled || tries >= limits_.tries_when_throttled) throw refusal;
        const auto next_try = clock_.now() + std::max<Clock::duration>(pause.next(), wait_asked_for(answer));
        if (next_try > last_try) throw refusal;
        co_await clock_.sleep_until(next_try);
    }
}

Failure StreamInitiator::refused_credential(const Failure& refusal, const http::Headers& headers) const {
    const auto now = clock_.wall_now();
    const auto ahead = http::clock_ahead(headers, now);
    return ahead ? http::with_clock_note(refusal, *ahead, token_.expires_at_once(*ahead), now) : refusal;
}

asio::awaitable<http::Response> StreamInitiator::call(const iothub::ServicePath& what,
                                                      std::unique_ptr<http::Connection>& connection) {
    const auto attempt = [this, &what](http::Connection& on) { return call_on(what, on); };
    std::exception_ptr failure;
    try {
        auto taken = co_await connections_.take();
        auto answer = co_await connections_.exchange(taken, attempt);
        connection = std::move(taken.connection);
        co_return answer;
    } catch (...) {
        failure = std::current_exception();
    }
    if (is_cancellation(failure)) std::rethrow_exception(failure);
    throw hub_failure(failure, Errc::hub_unreachable, "stream request to " + access_.endpoint().to_string());
}

asio::awaitable<http::Response> StreamInitiator::call_on(const iothub::ServicePath& what,
                                                         http::Connection& connection) {
    const auto limit = limits_.connect + limits_.response + limits_.hub;
    auto post = make_stream_call(what, host_header(), token_.current(clock_), limits_, hub_is_ours_);
    post.target.insert(0, access_.hub.path_prefix);
    add_stream_owner(post.headers, connection.transport());
    co_return co_await with_timeout(exchange(connection, std::move(post)), limit, clock_);
}

// The connection that carried the call to a hub of ours can carry the leg too, which saves a TCP and a TLS handshake.
// Other hubs name another host; `used` stays then.
asio::awaitable<std::unique_ptr<http::Connection>> StreamInitiator::connection_for(
    const Granted& granted, std::unique_ptr<http::Connection>& used) {
    const auto named = granted.url.endpoint();
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
