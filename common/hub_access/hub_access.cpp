#include "common/hub_access/hub_access.hpp"

#include "common/async/join.hpp"
#include "common/hub_access/dial_out.hpp"
#include "common/text/ascii.hpp"

#include <asio/error.hpp>

#include <algorithm>

namespace device_streams {

namespace {

bool is_unknown_name(const std::error_code& code) {
    return code == asio::error::host_not_found || code == asio::error::host_not_found_try_again ||
           code == asio::error::no_data;
}

bool is_timeout(const std::exception_ptr& cause) {
    try {
        std::rethrow_exception(cause);
    } catch (const std::system_error& known) {
        return known.code() == asio::error::timed_out;
    } catch (...) {
        return false;
    }
}

bool is_visible_ascii(std::string_view text) {
    return std::ranges::all_of(text, is_visible);
}

asio::awaitable<std::unique_ptr<RawConnection>> dial_directly(const HubAccess& hub, const Endpoint& named,
                                                              Clock& clock) {
    auto socket = co_await dial_out(hub.route(named), hub.mss, clock);
    socket.give_up_after(hub.liveness.dead_after);
    co_return std::make_unique<Socket>(std::move(socket));
}

// What a hub's certificate that never arrives looks like from here.
constexpr auto swallowed =
    "; the connection stands, but the hub's answer to TLS did not come: where that repeats and the hub serves others, "
    "large packets may vanish on the way (MTU), try hub.mss: 1200";

// `connection`: the way through a proxy; nullptr: straight ahead.
asio::awaitable<std::unique_ptr<TlsStream>> handshake(const HubAccess& hub, const Endpoint& named,
                                                      std::unique_ptr<RawConnection> connection, bool& connected,
                                                      Clock& clock) {
    if (!connection) connection = co_await dial_directly(hub, named, clock);
    connected = true;
    auto stream = std::make_unique<TlsStream>(std::move(connection), hub.tls, named.host);
    co_await stream->handshake();
    co_return stream;
}

}  // namespace

Endpoint HubAccess::route(const Endpoint& named) const {
    Endpoint where = named;
    if (!connect_host.empty() && equal_ignoring_case(named.host, host_name)) where.host = connect_host;
    return where;
}

std::shared_ptr<const OutwardProxy> HubAccess::proxy_to(const Endpoint& named) const {
    const bool around = proxy && (proxy->except.covers(named.host) || proxy->except.covers(route(named).host));
    return around ? nullptr : proxy;
}

std::string HubAccess::way() const {
    const auto on_the_way = proxy_to({.host = host_name, .port = 0, .path = {}});
    return on_the_way ? on_the_way->url.to_string() : "direct";
}

Failure hub_failure(const std::exception_ptr& cause, Errc otherwise, const std::string& during) {
    try {
        std::rethrow_exception(cause);
    } catch (const Failure& known) {
        return known;
    } catch (const std::system_error& known) {
        if (known.code() == asio::error::timed_out) return {Errc::hub_timeout, during};
        if (known.code() == asio::error::no_descriptors) return {Errc::out_of_descriptors, during};
        if (is_unknown_name(known.code())) return {Errc::hub_name_unknown, during};
        if (known.code() == Errc::protocol_violation) return {Errc::hub_protocol, during + ": " + known.what()};
        return {otherwise, during + ": " + known.what()};
    } catch (const http::MessageError& malformed) {
        return {Errc::hub_protocol, during + ": " + malformed.what()};
    } catch (const std::exception& other) {
        return {otherwise, during + ": " + other.what()};
    }
}

asio::awaitable<std::unique_ptr<TlsStream>> open_tls(HubAccess hub, Endpoint named, Clock& clock) {
    const auto proxy = hub.proxy_to(named);
    bool connected = false;
    try {
        std::unique_ptr<RawConnection> connection;
        const ProxyLimits limits{.step = hub.timeout, .dead_after = hub.liveness.dead_after, .mss = hub.mss};
        if (proxy) connection = co_await dial_through(proxy, hub.route(named), limits, clock);
        auto opening = handshake(hub, named, std::move(connection), connected, clock);
        co_return co_await with_timeout(std::move(opening), hub.timeout, clock);
    } catch (...) {
        const auto cause = std::current_exception();
        if (is_cancellation(cause)) throw;
        const auto through = proxy ? " through " + proxy->url.to_string() : "";
        auto during = "connecting to " + hub.route(named).to_string() + through;
        if (connected && is_timeout(cause)) during += swallowed;
        throw hub_failure(cause, Errc::hub_unreachable, during);
    }
}

asio::awaitable<http::Response> upgrade_answer(asio::awaitable<http::Response> upgrading, Endpoint named) {
    try {
        co_return co_await std::move(upgrading);
    } catch (...) {
        const auto cause = std::current_exception();
        if (is_cancellation(cause)) throw;
        throw hub_failure(cause, Errc::hub_unreachable, "WebSocket upgrade at " + named.to_string());
    }
}

bool lost_upgrade(const http::Response& answer) {
    return answer.status == 426;
}

std::string status_text(const http::Response& answer) {
    return "HTTP " + std::to_string(answer.status) + " " + std::string(http::reason_phrase(answer.status));
}

std::unique_ptr<ws::WsStream> as_stream(std::unique_ptr<http::Connection> connection, ws::WsOptions options) {
    std::vector<std::byte> early_bytes;
    auto transport = connection->release(early_bytes);
    return std::make_unique<ws::WsStream>(std::move(transport), options, std::move(early_bytes));
}

asio::awaitable<Upgraded> upgrade(std::unique_ptr<http::Connection> connection, Endpoint named, ws::ClientHandshake ask,
                                  ws::WsOptions options, Clock::duration limit, Clock& clock) {
    ask.host = named.to_string();
    auto upgrading = with_timeout(ws::upgrade(*connection, std::move(ask)), limit, clock);
    Upgraded upgraded;
    upgraded.answer = co_await upgrade_answer(std::move(upgrading), std::move(named));
    if (upgraded.answer.status == 101) upgraded.stream = as_stream(std::move(connection), options);
    co_return upgraded;
}

ws::ClientHandshake leg_handshake(const std::string& target, const Secret& token, std::string_view user_agent) {
    if (!is_visible_ascii(target) || !is_visible_ascii(token.reveal()))
        throw Failure(Errc::hub_protocol, "the stream's URL or token holds characters that it must not");
    ws::ClientHandshake ask;
    ask.target = target;
    ask.extra.add("Authorization", "Bearer " + std::string(token.reveal()));
    ask.extra.add("User-Agent", std::string(user_agent));
    return ask;
}

}  // namespace device_streams
