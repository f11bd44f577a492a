#pragma once

#include "common/net/dial.hpp"
#include "common/tls/tls_stream.hpp"

#include <asio/this_coro.hpp>

#include <memory>
#include <string>

namespace device_streams::hub_clients {

/// Where the hub of a test listens, and how to trust it.
struct HubAddress {
    std::shared_ptr<TlsContext> tls;
    std::string host;
    std::uint16_t port = 0;
    std::uint16_t mqtt_port = 0;
};

/// What a side of a stream was told.
struct Ticket {
    std::string url;
    Secret token;
};

/// `fd`, if given, receives the socket, for options.
inline asio::awaitable<std::unique_ptr<Transport>> dial_tls(const HubAddress& address, std::uint16_t port,
                                                            int* fd = nullptr) {
    SystemClock clock;
    const Endpoint endpoint{"127.0.0.1", port, {}};
    auto socket = co_await dial(endpoint, clock);
    if (fd != nullptr) *fd = socket.handle();
    auto stream = std::make_unique<TlsStream>(std::move(socket), address.tls, address.host);
    co_await stream->handshake();
    co_return stream;
}

}  // namespace device_streams::hub_clients
