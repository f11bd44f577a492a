#include "service-proxy/hub_leg.hpp"

#include "common/async/join.hpp"
#include "common/base/error.hpp"
#include "common/base/version.hpp"
#include "common/net/dial.hpp"
#include "common/net/tls_stream.hpp"
#include "common/ws/handshake.hpp"

#include <asio/error.hpp>

namespace device_streams::service {

namespace {

Failure describe_failure(const std::system_error& cause, const std::string& where) {
    const auto code = cause.code();
    if (code == asio::error::timed_out) return {Errc::hub_timeout, where};
    if (code == asio::error::host_not_found || code == asio::error::host_not_found_try_again ||
        code == asio::error::no_data)
        return {Errc::hub_name_unknown, where};
    if (code == Errc::protocol_violation) return {Errc::hub_protocol, where + ": " + cause.what()};
    return {Errc::hub_unreachable, where + ": " + code.message()};
}

// The limit covers TCP and TLS together: a hub that accepts and then says nothing is as far away as one that does not.
asio::awaitable<std::unique_ptr<http::Connection>> connect(Endpoint where, std::string server_name,
                                                           std::shared_ptr<const TlsContext> tls, Clock& clock) {
    Socket socket = co_await dial(where, clock);
    auto stream = std::make_unique<TlsStream>(std::move(socket), std::move(tls), server_name);
    co_await stream->handshake();
    co_return std::make_unique<http::Connection>(std::move(stream));
}

ws::ClientHandshake make_upgrade(const GrantedStream& granted) {
    const bool default_port = granted.url.port == 443;
    ws::ClientHandshake ask;
    ask.host = granted.url.host + (default_port ? "" : ":" + std::to_string(granted.url.port));
    ask.target = granted.url.target;
    ask.extra.add("Authorization", "Bearer " + std::string(granted.token.reveal()));
    ask.extra.add("User-Agent", std::string("service-proxy/") + version);
    return ask;
}

ws::WsOptions options_for(const Features& features) {
    ws::WsOptions options;
    options.role = ws::Role::client;
    options.half_close = features.half_close;
    if (features.big_frames) options.message_limit = 65'528;
    return options;
}

}  // namespace

Failure hub_failure(const std::exception_ptr& cause, const std::string& where) {
    try {
        std::rethrow_exception(cause);
    } catch (const Failure& known) {
        return known;
    } catch (const http::MessageError& malformed) {
        return {Errc::hub_protocol, where + ": " + malformed.what()};
    } catch (const std::system_error& known) {
        return describe_failure(known, where);
    }
}

asio::awaitable<std::unique_ptr<http::Connection>> connect_to_hub(Endpoint where, std::string server_name,
                                                                  std::shared_ptr<const TlsContext> tls,
                                                                  Clock::duration limit, Clock& clock) {
    try {
        co_return co_await with_timeout(connect(where, server_name, tls, clock), limit, clock);
    } catch (...) {
        const auto cause = std::current_exception();
        if (is_cancellation(cause)) throw;
        throw hub_failure(cause, where.to_string());
    }
}

asio::awaitable<std::unique_ptr<ws::WsStream>> open_leg(std::unique_ptr<http::Connection> connection,
                                                        GrantedStream granted, Clock::duration limit, Clock& clock) {
    const auto where = "upgrading at " + granted.url.host + ":" + std::to_string(granted.url.port);
    http::Response answer;
    try {
        auto ask = make_upgrade(granted);
        answer = co_await with_timeout(ws::upgrade(*connection, std::move(ask)), limit, clock);
    } catch (...) {
        const auto cause = std::current_exception();
        if (is_cancellation(cause)) throw;
        throw hub_failure(cause, where);
    }
    if (answer.status != 101) throw Failure(Errc::hub_refused_stream_leg, describe_answer(answer));
    std::vector<std::byte> early_bytes;
    auto transport = connection->release(early_bytes);
    co_return std::make_unique<ws::WsStream>(std::move(transport), options_for(granted.features),
                                             std::move(early_bytes));
}

}  // namespace device_streams::service
