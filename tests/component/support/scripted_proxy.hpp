#pragma once

#include "common/base/proxy_url.hpp"
#include "common/net/dial.hpp"
#include "common/net/socket_stream.hpp"
#include "common/tls/tls_stream.hpp"
#include "common/tunnel/relay.hpp"
#include "tests/component/support/loopback_server.hpp"
#include "tests/support/certificates.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace device_streams::test {

/// An HTTP proxy that does what a test says with each request; by default it opens the way, to the port that was asked
/// for on 127.0.0.1, whatever name was asked for.
class ScriptedProxy {
 public:
    using Script = std::function<asio::awaitable<void>(ByteStream&, const std::string& head)>;

    /// `certificates`: it speaks TLS.
    explicit ScriptedProxy(Background& background, const TestCertificates* certificates = nullptr, Script script = {})
        : context_(certificates == nullptr
                       ? nullptr
                       : TlsContext::server(certificates->certificate_file, certificates->key_file)),
          script_(std::move(script)),
          server_(background, [this](Socket socket) { return serve(std::move(socket)); }) {}

    ProxyUrl url() const {
        return {.kind = context_ ? ProxyKind::https : ProxyKind::http, .endpoint = server_.endpoint()};
    }
    /// What was asked for so far, head by head.
    std::vector<std::string> heads() const {
        const std::lock_guard lock(mutex_);
        return heads_;
    }

    static Script answering(std::string answer) {
        return [answer = std::move(answer)](ByteStream& client, const std::string&) -> asio::awaitable<void> {
            co_await write_text(client, answer);
            std::array<std::byte, 16> room;
            co_await client.read_some(room);
        };
    }

 private:
    asio::awaitable<void> serve(Socket socket) {
        std::unique_ptr<ByteStream> client;
        if (context_) {
            auto tls = std::make_unique<TlsStream>(std::move(socket), context_);
            co_await tls->handshake();
            client = std::move(tls);
        } else {
            client = std::make_unique<SocketStream>(std::move(socket));
        }
        const auto head = co_await read_head(*client);
        if (script_) {
            co_await script_(*client, head);
        } else {
            co_await open_way(*client, head);
        }
    }
    asio::awaitable<std::string> read_head(ByteStream& client) {
        std::string head;
        while (!head.ends_with("\r\n\r\n")) {
            std::array<std::byte, 1024> room;
            const auto size = co_await client.read_some(room);
            if (size == 0) throw StreamError(CloseReason::lost, "no request");
            head.append(reinterpret_cast<const char*>(room.data()), size);
        }
        const std::lock_guard lock(mutex_);
        heads_.push_back(head);
        co_return head;
    }
    asio::awaitable<void> open_way(ByteStream& client, const std::string& head) {
        const auto colon = head.find(':');
        const auto port = static_cast<std::uint16_t>(std::stoi(head.substr(colon + 1)));
        const Endpoint where{.host = "127.0.0.1", .port = port, .path = {}};
        SocketStream hub(co_await dial(where, clock_));
        co_await write_text(client, "HTTP/1.1 200 Connection established\r\n\r\n");
        co_await relay(client, hub, RelayLimits{}, clock_);
    }

    SystemClock clock_;
    std::shared_ptr<TlsContext> context_;
    Script script_;
    mutable std::mutex mutex_;
    std::vector<std::string> heads_;
    LoopbackServer server_;
};

}  // namespace device_streams::test
