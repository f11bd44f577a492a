#pragma once

#include "common/base/clock.hpp"
#include "common/base/endpoint.hpp"
#include "common/base/log.hpp"
#include "common/net/inherited_sockets.hpp"
#include "common/net/socket.hpp"
#include "common/net/socket_options.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

namespace device_streams {

/// A listening TCP or Unix socket.
class Listener {
 public:
    /// Binds and listens, at the first address of a name that is one of this machine; a stale Unix socket file that
    /// nobody answers on is replaced. Throws Failure(listen_failed) with endpoint and reason (port in use, no
    /// permission, not our address). One of `inherited` that listens there is used instead, and keeps listening when
    /// this object ends.
    Listener(const asio::any_io_executor& executor, const Endpoint& endpoint, InheritedSockets* inherited = nullptr);
    ~Listener();

    /// The next connection, made for `executor`. Survives running out of descriptors: logs once, pauses 100 ms at a
    /// time and goes on.
    asio::awaitable<Socket> accept(asio::any_io_executor executor, Clock& clock, const Log& log);
    /// Lets others than the user of this program open a Unix socket of ours; no effect on TCP. Throws
    /// Failure(listen_failed).
    void admit(SocketAccess access) const;
    /// From now on connections are refused that would leave this program less than so many descriptors: others need
    /// them, as the administrator's commands. Where it may have few, a quarter is kept.
    void keep_descriptors(std::size_t count);
    /// TCP connections that are accepted from now on have no larger segments, in either direction.
    void limit_segments(std::uint16_t size);
    /// Where it listens, with the port the system chose.
    const Endpoint& endpoint() const { return endpoint_; }
    /// False for one of the service manager, which goes on listening there.
    bool owns_address() const { return owns_address_; }
    void close() noexcept;

 private:
    Listener(const asio::any_io_executor& executor, const Endpoint& endpoint, SocketHandle inherited);
    SocketHandle accept_one(std::error_code& error);

    Readiness readiness_;
    Endpoint endpoint_;
    const bool owns_address_;
    std::size_t most_descriptors_ = std::numeric_limits<std::size_t>::max();
};

/// A listener at each address of a name that is one of this machine, all at the same port: `localhost` is of both
/// families for most clients. One alone where the service manager listens. Throws as the constructor.
std::vector<std::unique_ptr<Listener>> listen_at_all(const asio::any_io_executor& executor, const Endpoint& endpoint,
                                                     InheritedSockets* inherited);

}  // namespace device_streams
