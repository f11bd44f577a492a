#include "hub/http/client_connection.hpp"

#include "common/async/join.hpp"

namespace device_streams::hub {

asio::awaitable<void> ClientConnection::send(http::Response response) {
    const std::string why = "it does not read its answer";
    try {
        co_await with_timeout(http.write_response(std::move(response)), hub.limits.get()->connections.head_timeout,
                              hub.clock);
        co_return;
    } catch (const std::system_error& failure) {
        if (failure.code() != asio::error::timed_out) throw;
    }
    report(Errc::peer_slow, why);
    throw StreamError(CloseReason::lost, why);
}

}  // namespace device_streams::hub
