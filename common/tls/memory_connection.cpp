#include "common/tls/memory_connection.hpp"

#include <algorithm>
#include <stdexcept>

namespace device_streams {

std::optional<std::size_t> MemoryConnection::try_recv(WritableBytes into) {
    const auto size = std::min({into.size(), incoming_.size(), most_at_once});
    if (size == 0) return ended ? std::optional<std::size_t>(0) : std::nullopt;
    const auto end = incoming_.begin() + static_cast<std::ptrdiff_t>(size);
    std::copy(incoming_.begin(), end, into.begin());
    incoming_.erase(incoming_.begin(), end);
    return size;
}

asio::awaitable<void> MemoryConnection::wait_readable() {
    throw std::logic_error("nobody waits on a connection in memory");
}

asio::awaitable<void> MemoryConnection::wait_writable() {
    return wait_readable();
}

LossMonitor MemoryConnection::watch(const asio::any_io_executor&, OnLost) {
    throw std::logic_error("nobody watches a connection in memory");
}

const std::string& MemoryConnection::peer() const {
    static const std::string name = "memory";
    return name;
}

}  // namespace device_streams
