#pragma once

#include "common/async/task_set.hpp"
#include "common/net/listener.hpp"
#include "service-proxy/stream_session.hpp"

namespace device_streams::service {

/// One forward: what listens for it, and each connection becomes a stream. All members on one strand.
class LocalListener {
 public:
    /// Binds, unless the service manager listens there already. Throws Failure(listen_failed).
    LocalListener(const asio::any_io_executor& executor, const Forward& forward, InheritedSockets& inherited);

    /// How many sockets listen: a name may stand for several addresses.
    std::size_t count() const { return listeners_.size(); }
    /// Accepts on one of them until close(); each connection is a task of `streams`. Failed ones are reset at once.
    asio::awaitable<void> serve(std::size_t index, TaskSet& streams);
    /// What new connections use from now on. A Unix socket is opened to those who may connect then, and closed to
    /// others before.
    void use(const Forward& forward, StreamTools tools);
    void close() noexcept;

    /// As configured; for finding it again.
    const Endpoint& configured() const { return configured_; }
    /// Where it really listens.
    const Endpoint& bound() const { return listeners_.front()->endpoint(); }
    const Forward& forward() const { return forward_; }

 private:
    struct Refusals;
    void admit(SocketAccess access) const;
    /// One accepted connection from its request to its end; runs on a strand of its own.
    static asio::awaitable<void> serve_client(Socket client, Forward forward, StreamTools tools,
                                              std::shared_ptr<Refusals> refusals);

    const Endpoint configured_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    Forward forward_;
    std::optional<StreamTools> tools_;
    const std::shared_ptr<Refusals> refusals_;
};

}  // namespace device_streams::service
