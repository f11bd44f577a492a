#pragma once

#include "common/async/task_set.hpp"
#include "common/net/listener.hpp"
#include "service-proxy/stream_session.hpp"

namespace device_streams::service {

/// One forward: a listening socket, each connection of which becomes a stream. All members on one strand.
class LocalListener {
 public:
    /// Binds, unless the service manager listens there already. Throws Failure(listen_failed).
    LocalListener(const asio::any_io_executor& executor, const Forward& forward, InheritedSockets& inherited);

    /// Accepts until close(); each connection is a task of `streams`. Failed ones are reset at once.
    asio::awaitable<void> serve(TaskSet& streams);
    /// What new connections use from now on.
    void use(const Forward& forward, StreamTools tools);
    void close() noexcept { listener_.close(); }

    /// As configured; for finding it again.
    const Endpoint& configured() const { return configured_; }
    /// Where it really listens.
    const Endpoint& bound() const { return listener_.endpoint(); }
    const Forward& forward() const { return forward_; }

 private:
    const Endpoint configured_;
    Listener listener_;
    Forward forward_;
    std::optional<StreamTools> tools_;
};

/// One accepted connection from its request to its end; runs on a strand of its own.
asio::awaitable<void> serve_client(Socket client, Forward forward, StreamTools tools);

}  // namespace device_streams::service
