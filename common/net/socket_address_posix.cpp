#include "common/net/socket_address.hpp"

#include <asio/local/stream_protocol.hpp>

namespace device_streams {

SocketAddress unix_address(const std::string& path) {
    return asio::local::stream_protocol::endpoint(path);
}

}  // namespace device_streams
