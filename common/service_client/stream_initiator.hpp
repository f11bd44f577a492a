#pragma once

#include "common/base/clock.hpp"
#include "common/base/log.hpp"
#include "common/hub_access/warm_connections.hpp"
#include "common/service_client/rest_call.hpp"
#include "common/service_client/service_access.hpp"
#include "common/service_client/service_token.hpp"
#include "common/tunnel/stream_id.hpp"
#include "common/ws/ws_stream.hpp"

#include <atomic>
#include <memory>

namespace device_streams::service {

/// Turns a target and a service into a stream: the stream request over REST, then our leg of the stream. Any number at
/// a time, from any thread.
class StreamInitiator {
 public:
    StreamInitiator(const asio::any_io_executor& executor, ServiceAccess access, OpenLimits limits, Clock& clock,
                    Log log);

    /// Throws Failure that names the reason (DS-2xx for the way to the hub, DS-3xx for the request). Cancelling it
    /// drops the connection that asked, from which our hub sees at any time that nobody waits for the stream any more.
    asio::awaitable<std::unique_ptr<ws::WsStream>> open(iothub::Target target, StreamName name);

    WarmConnections& connections() { return connections_; }

 private:
    struct Answered {
        Granted granted;
        std::unique_ptr<http::Connection> connection;
    };
    asio::awaitable<Answered> request(iothub::ServicePath what);
    asio::awaitable<http::Response> call(const iothub::ServicePath& what,
                                         std::unique_ptr<http::Connection>& connection);
    asio::awaitable<http::Response> call_on(const iothub::ServicePath& what, http::Connection& connection);
    asio::awaitable<std::unique_ptr<http::Connection>> connection_for(const Granted& granted,
                                                                      std::unique_ptr<http::Connection>& used);
    asio::awaitable<std::unique_ptr<ws::WsStream>> open_leg(std::unique_ptr<http::Connection> connection,
                                                            Granted granted);
    ws::WsOptions options_of(const Granted& granted) const;
    Failure refused_credential(const Failure& refusal, const http::Headers& headers) const;
    std::string host_header() const;

    const ServiceAccess access_;
    const OpenLimits limits_;
    Clock& clock_;
    ServiceToken token_;
    WarmConnections connections_;
    std::atomic<bool> hub_is_ours_ = false;  ///< as its last answer showed
};

}  // namespace device_streams::service
