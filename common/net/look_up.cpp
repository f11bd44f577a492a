#include "common/net/look_up.hpp"

#include "common/async/event.hpp"

#include <asio/bind_executor.hpp>
#include <asio/this_coro.hpp>

#include <memory>

namespace device_streams {

namespace {

using tcp = asio::ip::tcp;

// It cannot be cancelled and owns its state, so the caller may walk away from it.
struct Lookup {
    explicit Lookup(const asio::any_io_executor& executor) : resolver(executor), done(executor) {}
    tcp::resolver resolver;
    Event done;
    asio::error_code error;
    std::vector<tcp::endpoint> found;
};

asio::awaitable<std::vector<tcp::endpoint>> resolve(const Endpoint& endpoint) {
    const auto executor = co_await asio::this_coro::executor;
    auto lookup = std::make_shared<Lookup>(executor);
    auto on_found = [lookup](asio::error_code error, const tcp::resolver::results_type& results) {
        lookup->error = error;
        for (const auto& entry : results) lookup->found.push_back(entry.endpoint());
        lookup->done.wake();
    };
    lookup->resolver.async_resolve(endpoint.host, std::to_string(endpoint.port),
                                   asio::bind_executor(executor, std::move(on_found)));
    co_await lookup->done.wait();
    if (lookup->error) throw std::system_error(lookup->error);
    if (lookup->found.empty()) throw std::system_error(asio::error::host_not_found);
    co_return lookup->found;
}

std::vector<SocketAddress> in_turns(const std::vector<tcp::endpoint>& found) {
    std::vector<SocketAddress> preferred, other, addresses;
    for (const auto& endpoint : found)
        (endpoint.protocol() == found.front().protocol() ? preferred : other).emplace_back(endpoint);
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (i < preferred.size()) addresses.push_back(preferred[i]);
        if (i < other.size()) addresses.push_back(other[i]);
    }
    return addresses;
}

}  // namespace

asio::awaitable<std::vector<SocketAddress>> look_up(Endpoint endpoint) {
    std::vector<SocketAddress> addresses;
    asio::error_code not_literal;
    if (endpoint.is_unix()) {
        addresses.push_back(unix_address(endpoint.path));
    } else if (const auto literal = asio::ip::make_address(endpoint.host, not_literal); !not_literal) {
        addresses.emplace_back(tcp::endpoint(literal, endpoint.port));
    } else {
        addresses = in_turns(co_await resolve(endpoint));
    }
    co_return addresses;
}

}  // namespace device_streams
