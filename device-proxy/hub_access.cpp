#include "device-proxy/hub_access.hpp"

#include "common/async/join.hpp"
#include "common/http/connection.hpp"
#include "common/net/dial.hpp"

namespace device_streams::device {

namespace {

asio::awaitable<Socket> dial_hub(Endpoint where, Clock::duration limit, Clock& clock) {
    try {
        co_return co_await with_timeout(dial(where, clock), limit, clock);
    } catch (...) {
        rethrow_as_hub_failure(Errc::hub_unreachable, "connecting to " + where.to_string());
    }
}

}  // namespace

Endpoint HubAccess::route(const Endpoint& named) const {
    Endpoint where = named;
    if (!connect_host.empty() && http::same_token(named.host, host_name)) where.host = connect_host;
    return where;
}

UpgradeRefused::UpgradeRefused(int http_status)
    : std::runtime_error("HTTP " + std::to_string(http_status) + " " + std::string(http::reason_phrase(http_status))),
      status(http_status) {
}

bool is_error(const std::error_code& code, asio::error::basic_errors what) {
    return code == what || code == std::error_code(what, std::system_category());
}

void rethrow_as_hub_failure(Errc otherwise, const std::string& during) {
    try {
        throw;
    } catch (const Failure&) {
        throw;
    } catch (const std::system_error& failure) {
        if (failure.code() == asio::error::operation_aborted) throw;
        if (is_error(failure.code(), asio::error::timed_out)) throw Failure(Errc::hub_timeout, during);
        if (failure.code() == asio::error::host_not_found) throw Failure(Errc::hub_name_unknown, during);
        throw Failure(otherwise, during + ": " + failure.what());
    } catch (const std::exception& failure) {
        throw Failure(otherwise, during + ": " + failure.what());
    }
}

asio::awaitable<std::unique_ptr<TlsStream>> open_tls(HubAccess hub, Endpoint named, Clock& clock) {
    const Endpoint where = hub.route(named);
    auto socket = co_await dial_hub(where, hub.phase_limit, clock);
    auto stream = std::make_unique<TlsStream>(std::move(socket), hub.tls, named.host);
    try {
        co_await with_timeout(stream->handshake(), hub.phase_limit, clock);
    } catch (...) {
        rethrow_as_hub_failure(Errc::hub_tls_failed, "TLS with " + where.to_string());
    }
    co_return stream;
}

asio::awaitable<std::unique_ptr<ws::WsStream>> open_websocket(HubAccess hub, Endpoint named, ws::ClientHandshake ask,
                                                              ws::WsOptions options, Clock& clock) {
    http::Connection connection(co_await open_tls(hub, named, clock));
    ask.host = named.to_string();
    http::Response response;
    try {
        response = co_await with_timeout(ws::upgrade(connection, std::move(ask)), hub.phase_limit, clock);
    } catch (...) {
        rethrow_as_hub_failure(Errc::hub_protocol, "WebSocket upgrade at " + named.to_string());
    }
    if (response.status != 101) throw UpgradeRefused(response.status);
    std::vector<std::byte> early_bytes;
    auto transport = connection.release(early_bytes);
    co_return std::make_unique<ws::WsStream>(std::move(transport), options, std::move(early_bytes));
}

}  // namespace device_streams::device
