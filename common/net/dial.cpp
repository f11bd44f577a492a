#include "common/net/dial.hpp"

#include "common/net/connect_first.hpp"
#include "common/net/look_up.hpp"

namespace device_streams {

asio::awaitable<Socket> dial(Endpoint endpoint, Clock& clock) {
    auto addresses = co_await look_up(std::move(endpoint));
    auto connected = co_await connect_first(std::move(addresses), clock);
    co_return connected;
}

}  // namespace device_streams
