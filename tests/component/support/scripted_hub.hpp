#pragma once

#include "common/http/connection.hpp"
#include "common/tls/tls_stream.hpp"
#include "common/ws/handshake.hpp"
#include "common/ws/ws_stream.hpp"
#include "tests/component/support/loopback_server.hpp"
#include "tests/support/certificates.hpp"

#include <atomic>
#include <functional>

namespace device_streams::test {

/// A hub that does what a test says: each connection, once TLS is up, is given to the script with its number (from 1).
class ScriptedHub {
 public:
    using Script = std::function<asio::awaitable<void>(http::Connection&, int number)>;

    ScriptedHub(Background& background, const TestCertificates& certificates, Script script, std::uint16_t port = 0)
        : context_(TlsContext::server(certificates.certificate_file, certificates.key_file)),
          script_(std::move(script)),
          server_(
              background, [this](Socket socket) { return serve(std::move(socket), ++connections_); }, port) {}

    const Endpoint& endpoint() const { return server_.endpoint(); }
    int connections() const { return connections_; }
    int connections_ended() const { return ended_; }

 private:
    asio::awaitable<void> serve(Socket socket, int number) {
        auto tls = std::make_unique<TlsStream>(std::move(socket), context_);
        co_await tls->handshake();
        http::Connection connection(std::move(tls));
        try {
            co_await script_(connection, number);
        } catch (const std::exception&) {
            // The proxy under test hung up.
        }
        ++ended_;
    }

    std::shared_ptr<TlsContext> context_;
    Script script_;
    std::atomic<int> connections_ = 0, ended_ = 0;
    LoopbackServer server_;
};

/// Plays the streaming endpoint: sends `answer`, which makes the connection a leg, and echoes until the peer closes.
inline asio::awaitable<void> echo_leg(http::Connection& connection, http::Response answer, ws::WsOptions options) {
    options.role = ws::Role::server;
    co_await connection.write_response(std::move(answer));
    std::vector<std::byte> early;
    auto transport = connection.release(early);
    ws::WsStream stream(std::move(transport), options, std::move(early));
    std::vector<std::byte> room(wanted_headroom + 16 * 1024);
    const auto bytes = WritableBytes(room).subspan(wanted_headroom);
    for (;;) {
        const auto size = co_await stream.read_some(bytes);
        if (size == 0) break;
        const OutBytes out{bytes.first(size), wanted_headroom};
        co_await stream.write_all(out);
    }
    co_await stream.close(CloseReason::clean);
}

inline asio::awaitable<void> echo_stream(http::Connection& connection, http::Request upgrade, ws::WsOptions options) {
    return echo_leg(connection, ws::answer_upgrade(upgrade, ""), options);
}

}  // namespace device_streams::test
