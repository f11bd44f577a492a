#include "service-proxy/local_client.hpp"

#include <array>

namespace device_streams::service {

asio::awaitable<void> until_client_leaves(Socket& client) {
    std::array<std::byte, 1> probe;
    auto early = client.try_peek(probe);
    while (!early) {
        co_await client.wait_readable();
        early = client.try_peek(probe);
    }
    if (*early == 0) throw StreamError(CloseReason::clean, "the client ended before it sent anything");
    // From here on the socket is always readable; only errors are news.
    co_await wait_until_lost(client);
}

}  // namespace device_streams::service
