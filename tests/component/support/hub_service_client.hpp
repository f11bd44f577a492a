#pragma once

#include "common/http/connection.hpp"
#include "tests/component/support/hub_address.hpp"

namespace device_streams::hub_clients {

inline Ticket ticket_of(const http::Response& response) {
    return {std::string(response.headers.find("iothub-streaming-url").value_or("")),
            Secret(std::string(response.headers.find("iothub-streaming-auth-token").value_or("")))};
}

/// A service on one warm connection, as the SDKs and service-proxy ask for streams.
class ServiceClient {
 public:
    ServiceClient(const HubAddress& address, Secret token) : address_(address), token_(std::move(token)) {}

    asio::awaitable<http::Response> ask(std::string device, std::string name, http::Headers extra = {}) {
        auto response = co_await request("POST", "/twins/" + device + "/streams/" + name + "?api-version=2020-09-30",
                                         std::move(extra));
        co_return response;
    }
    asio::awaitable<http::Response> request(std::string method, std::string target, http::Headers extra = {}) {
        if (!connection_ || !connection_->reusable()) co_await connect();
        http::Request request;
        request.method = std::move(method);
        request.target = std::move(target);
        request.headers = std::move(extra);
        request.headers.add("Host", address_.host);
        if (!token_.empty()) request.headers.add("Authorization", std::string(token_.reveal()));
        request.headers.add("Content-Length", "0");
        auto response = co_await connection_->exchange(std::move(request));
        co_return response;
    }
    asio::awaitable<void> connect() {
        auto transport = co_await dial_tls(address_, address_.port);
        connection_ = std::make_unique<http::Connection>(std::move(transport));
        ++connections;
    }
    /// Closes in order; the hub has done so, too, when this returns.
    asio::awaitable<void> hang_up() { co_await connection_->transport().close(CloseReason::clean); }
    void leave() { connection_->transport().abort(CloseReason::cancelled); }
    http::Connection& connection() { return *connection_; }

    int connections = 0;  ///< made so far

 private:
    const HubAddress& address_;
    Secret token_;
    std::unique_ptr<http::Connection> connection_;
};

}  // namespace device_streams::hub_clients
