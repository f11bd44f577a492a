#include "common/net/listener.hpp"

#include "common/base/error.hpp"
#include "common/net/socket_options.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <utility>

namespace device_streams {

namespace {

[[noreturn]] void fail(const Endpoint& endpoint, const std::string& reason) {
    throw Failure(Errc::listen_failed, endpoint.to_string() + ": " + reason);
}

// Connections that wait to be accepted: as many as net.core.somaxconn permits, which SOMAXCONN knows nothing of. When
// a flood has filled the queue, the kernel drops what honest clients send, and they try again after a second.
constexpr int longest_queue = 65'535;

// Owns a socket until it is known to be good.
struct NewSocket {
    ~NewSocket() {
        if (handle != no_socket) socket_calls::close(handle);
    }
    SocketHandle release() { return std::exchange(handle, no_socket); }
    SocketHandle handle;
};

[[noreturn]] void fail(const Endpoint& endpoint) {
    fail(endpoint, socket_calls::last_error().message());
}

SocketHandle listen_at(const Endpoint& endpoint, const SocketAddress& address) {
    const int family = address.protocol().family();
    NewSocket socket{socket_calls::socket(family)};
    if (socket.handle == no_socket) fail(endpoint);
    socket_options::prepare_to_listen(socket.handle, family);
    if (!socket_calls::bind(socket.handle, address)) fail(endpoint);
    if (!socket_calls::listen(socket.handle, longest_queue)) fail(endpoint);
    return socket.release();
}

bool somebody_answers(const SocketAddress& address) {
    const NewSocket probe{socket_calls::socket(address.protocol().family())};
    return socket_calls::connect(probe.handle, address) ||
           socket_calls::last_error() != asio::error::connection_refused;
}

SocketHandle open_unix(const Endpoint& endpoint) {
    const auto address = unix_address(endpoint.path);
    std::error_code ignored;
    if (std::filesystem::symlink_status(endpoint.path, ignored).type() == std::filesystem::file_type::socket) {
        if (somebody_answers(address)) fail(endpoint, std::error_code(asio::error::address_in_use).message());
        std::remove(endpoint.path.c_str());
    }
    return listen_at(endpoint, address);
}

std::vector<asio::ip::tcp::endpoint> addresses_of(const asio::any_io_executor& executor, const Endpoint& endpoint) {
    asio::ip::tcp::resolver resolver(executor);
    asio::error_code error;
    const auto found =
        resolver.resolve(endpoint.host, std::to_string(endpoint.port), asio::ip::resolver_base::passive, error);
    if (error) fail(endpoint, error.message());
    return {found.begin(), found.end()};
}

// A name may have addresses that this machine has not, as ::1 where IPv6 is turned off.
bool is_of_this_machine(asio::ip::tcp::endpoint address) {
    address.port(0);
    const NewSocket probe{socket_calls::socket(address.protocol().family())};
    return probe.handle != no_socket && socket_calls::bind(probe.handle, address);
}

SocketHandle open_tcp(const asio::any_io_executor& executor, const Endpoint& endpoint) {
    const auto addresses = addresses_of(executor, endpoint);
    const auto ours = std::ranges::find_if(addresses, is_of_this_machine);
    return listen_at(endpoint, ours != addresses.end() ? *ours : addresses.front());
}

SocketHandle open(const asio::any_io_executor& executor, const Endpoint& endpoint) {
    return endpoint.is_unix() ? open_unix(endpoint) : open_tcp(executor, endpoint);
}

std::uint16_t bound_port(SocketHandle handle) {
    const auto address = socket_options::local_address(handle).value_or(SocketAddress());
    const auto ip = tcp_address(address);
    return ip ? ip->port() : std::uint16_t{0};
}

}  // namespace

Listener::Listener(const asio::any_io_executor& executor, const Endpoint& endpoint, InheritedSockets* inherited)
    : Listener(executor, endpoint, inherited != nullptr ? inherited->duplicate(endpoint) : no_socket) {
}

Listener::Listener(const asio::any_io_executor& executor, const Endpoint& endpoint, SocketHandle inherited)
    : readiness_(executor, inherited != no_socket ? inherited : open(executor, endpoint)),
      endpoint_(endpoint),
      owns_address_(inherited == no_socket) {
    if (!endpoint.is_unix()) endpoint_.port = bound_port(readiness_.handle());
}

Listener::~Listener() {
    close();
}

void Listener::admit(SocketAccess access) const {
    if (endpoint_.is_unix() && owns_address_ && !socket_options::admit(endpoint_.path, access)) fail(endpoint_);
}

void Listener::keep_descriptors(std::size_t count) {
    const auto limit = socket_options::descriptor_limit();
    most_descriptors_ = limit - std::min(count, limit / 4);
}

void Listener::limit_segments(std::uint16_t size) {
    socket_options::limit_segments(readiness_.handle(), size);
}

// The kernel gives the lowest number that is free, so it tells how many are in use.
SocketHandle Listener::accept_one(std::error_code& error) {
    const auto handle = socket_calls::accept(readiness_.handle());
    if (handle == no_socket) error = socket_calls::last_error();
    if (handle == no_socket || static_cast<std::size_t>(handle) < most_descriptors_) return handle;
    socket_calls::close(handle);
    error = asio::error::no_descriptors;
    return no_socket;
}

asio::awaitable<Socket> Listener::accept(asio::any_io_executor executor, Clock& clock, const Log& log) {
    bool told = false;
    for (;;) {
        std::error_code error;
        const auto handle = accept_one(error);
        if (handle != no_socket) {
            try {
                Socket accepted(executor, handle);
                co_return accepted;
            } catch (const std::system_error& unwatchable) {
                error = unwatchable.code();
            }
        }
        if (socket_options::is_exhaustion(error)) {
            if (!told) log.error(explain(Failure(Errc::out_of_descriptors, endpoint_.to_string())));
            told = true;
            co_await clock.sleep_for(std::chrono::milliseconds(100));
        } else if (error == asio::error::would_block) {
            co_await readiness_.wait(asio::socket_base::wait_read);
        } else if (error == asio::error::bad_descriptor || error == asio::error::invalid_argument) {
            throw std::system_error(asio::error::operation_aborted);  // closed by close()
        }
        // Anything else concerns the one connection that was about to be accepted (accept(2)).
    }
}

std::vector<std::unique_ptr<Listener>> listen_at_all(const asio::any_io_executor& executor, const Endpoint& endpoint,
                                                     InheritedSockets* inherited) {
    std::vector<std::unique_ptr<Listener>> listeners;
    listeners.push_back(std::make_unique<Listener>(executor, endpoint, inherited));
    if (endpoint.is_unix() || !listeners.front()->owns_address()) return listeners;
    auto addresses = addresses_of(executor, listeners.front()->endpoint());
    std::erase_if(addresses, [](const auto& address) { return !is_of_this_machine(address); });
    for (std::size_t i = 1; i < addresses.size(); ++i) {
        const Endpoint other{addresses[i].address().to_string(), addresses[i].port(), {}};
        listeners.push_back(std::make_unique<Listener>(executor, other));
    }
    return listeners;
}

void Listener::close() noexcept {
    if (!readiness_.is_open()) return;
    readiness_.close();
    if (endpoint_.is_unix() && owns_address_) std::remove(endpoint_.path.c_str());
}

}  // namespace device_streams
