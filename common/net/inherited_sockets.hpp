#pragma once

#include "common/base/endpoint.hpp"
#include "common/net/socket_calls.hpp"

#include <string>
#include <vector>

namespace device_streams {

/// Sockets that listened before this program was started, as a service manager makes them. They listen on when the
/// program ends: what connects meanwhile waits for the next one.
class InheritedSockets {
 public:
    InheritedSockets() = default;
    /// Takes the sockets over.
    explicit InheritedSockets(const std::vector<SocketHandle>& listening);
    InheritedSockets(const InheritedSockets&) = delete;
    InheritedSockets& operator=(const InheritedSockets&) = delete;
    ~InheritedSockets();

    /// A second handle, which does not block, of the socket that listens at `endpoint`; or no_socket.
    SocketHandle duplicate(const Endpoint& endpoint);
    /// Where those listen that nobody has asked for.
    std::vector<std::string> unused() const;

 private:
    struct Entry {
        SocketHandle handle;
        std::string address;  // as the kernel has it; empty when this program cannot use the socket
        bool used = false;
    };
    std::vector<Entry> entries_;
};

}  // namespace device_streams
