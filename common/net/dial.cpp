#include "common/net/dial.hpp"

#include "common/net/socket_calls.hpp"

#include <asio/bind_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

namespace device_streams {

namespace {

using tcp = asio::ip::tcp;
constexpr auto head_start = std::chrono::milliseconds(250);

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

// A timer that never expires: cancelling it wakes whoever waits.
struct WakeTimer {
    explicit WakeTimer(const asio::any_io_executor& executor)
        : timer(executor, asio::steady_timer::time_point::max()) {}
    asio::awaitable<void> wait() {
        asio::error_code rung;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, rung));
    }
    void ring() { timer.cancel(); }
    asio::steady_timer timer;
};

struct Lookup {
    explicit Lookup(const asio::any_io_executor& executor) : resolver(executor), woken(executor) {}
    tcp::resolver resolver;
    WakeTimer woken;
    bool done = false;
    asio::error_code error;
    std::vector<tcp::endpoint> found;
};

// A lookup cannot be cancelled; it owns its state, so the caller may walk away from it.
asio::awaitable<std::vector<tcp::endpoint>> look_up(const Endpoint& endpoint) {
    asio::error_code not_literal;
    const auto literal = asio::ip::make_address(endpoint.host, not_literal);
    if (!not_literal) {
        std::vector<tcp::endpoint> only{tcp::endpoint(literal, endpoint.port)};
        co_return only;
    }
    const auto executor = co_await asio::this_coro::executor;
    auto lookup = std::make_shared<Lookup>(executor);
    auto on_found = [lookup](asio::error_code error, const tcp::resolver::results_type& results) {
        lookup->error = error;
        for (const auto& entry : results) lookup->found.push_back(entry.endpoint());
        lookup->done = true;
        lookup->woken.ring();
    };
    lookup->resolver.async_resolve(endpoint.host, std::to_string(endpoint.port),
                                   asio::bind_executor(executor, std::move(on_found)));
    if (!lookup->done) co_await lookup->woken.wait();
    if (!lookup->done) throw std::system_error(asio::error::operation_aborted);
    if (lookup->error) throw std::system_error(lookup->error);
    co_return lookup->found;
}

// RFC 8305: families take turns, starting with the resolver's first choice.
std::vector<Address> in_turns(const std::vector<tcp::endpoint>& found) {
    std::vector<tcp::endpoint> preferred, other;
    for (const auto& endpoint : found)
        (endpoint.address().is_v6() == found.front().address().is_v6() ? preferred : other).push_back(endpoint);
    std::vector<Address> addresses;
    auto add = [&](const std::vector<tcp::endpoint>& from, std::size_t i) {
        if (i >= from.size()) return;
        Address address;
        std::memcpy(&address.storage, from[i].data(), from[i].size());
        address.size = static_cast<socklen_t>(from[i].size());
        addresses.push_back(address);
    };
    for (std::size_t i = 0; i < found.size(); ++i) {
        add(preferred, i);
        add(other, i);
    }
    return addresses;
}

Address unix_address(const std::string& path) {
    Address address;
    auto& un = reinterpret_cast<sockaddr_un&>(address.storage);
    un.sun_family = AF_UNIX;
    std::memcpy(un.sun_path, path.c_str(), std::min(path.size(), sizeof un.sun_path - 1));
    address.size = sizeof un;
    return address;
}

// Attempts that run side by side; the first to connect wins and closes the others.
struct Race {
    explicit Race(const asio::any_io_executor& executor) : woken(executor) {}
    void end() {
        over = true;
        for (auto& runner : runners) runner->close();
    }
    WakeTimer woken;
    bool over = false;
    std::size_t running = 0;
    std::vector<std::shared_ptr<Socket>> runners;
    std::shared_ptr<Socket> winner;
    std::error_code last_error;
};

std::error_code connect_result(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    if (socket_calls::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    return {error, std::system_category()};
}

bool is_connected(int fd) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    return getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
}

asio::awaitable<std::error_code> connect(std::shared_ptr<Socket> socket, const Address& address) {
    const auto* raw = reinterpret_cast<const sockaddr*>(&address.storage);
    if (socket_calls::connect(socket->fd(), raw, address.size) == 0) co_return std::error_code();
    if (errno != EINPROGRESS) co_return std::error_code(errno, std::system_category());
    for (;;) {
        co_await socket->wait_writable();  // may also tell what the socket was before connect()
        const auto error = connect_result(socket->fd());
        if (error || is_connected(socket->fd())) co_return error;
    }
}

asio::awaitable<void> attempt(std::shared_ptr<Race> race, std::shared_ptr<Socket> socket, Address address) {
    std::error_code error;
    try {
        error = co_await connect(socket, address);
    } catch (const std::system_error& closed) {
        error = closed.code();
    }
    --race->running;
    if (!race->over && !error) {
        race->winner = socket;
        std::erase(race->runners, socket);
        race->end();
    } else if (!race->over) {
        race->last_error = error;
        socket->close();
    }
    race->woken.ring();
}

void start_attempt(const asio::any_io_executor& executor, const std::shared_ptr<Race>& race, const Address& address) {
    const int fd = socket_calls::socket(address.storage.ss_family, SOCK_STREAM);
    if (fd < 0) {
        race->last_error = {errno, std::system_category()};
        return;
    }
    auto socket = std::make_shared<Socket>(executor, fd);
    race->runners.push_back(socket);
    ++race->running;
    asio::co_spawn(executor, attempt(race, socket, address), asio::detached);
}

asio::awaitable<void> wait_for_change(Race& race, Clock::duration limit) {
    race.woken.timer.expires_after(limit);
    co_await race.woken.wait();
}

asio::awaitable<std::shared_ptr<Socket>> run_race(const std::vector<Address>& addresses) {
    const auto executor = co_await asio::this_coro::executor;
    auto race = std::make_shared<Race>(executor);
    struct Finish {
        Race& race;
        ~Finish() { race.end(); }
    } finish{*race};
    for (std::size_t next = 0; !race->winner && (next < addresses.size() || race->running > 0);) {
        if (next < addresses.size()) start_attempt(executor, race, addresses[next++]);
        const bool more = next < addresses.size();
        if (race->running == 0) continue;
        const Clock::duration patience = more ? Clock::duration(head_start) : Clock::duration(std::chrono::hours(24));
        co_await wait_for_change(*race, patience);
        if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
            throw std::system_error(asio::error::operation_aborted);
    }
    if (!race->winner) throw std::system_error(race->last_error);
    co_return race->winner;
}

}  // namespace

asio::awaitable<Socket> dial(Endpoint endpoint, Clock&) {
    std::vector<Address> addresses;
    if (endpoint.is_unix()) {
        addresses.push_back(unix_address(endpoint.path));
    } else {
        const auto found = co_await look_up(endpoint);
        if (found.empty()) throw std::system_error(asio::error::host_not_found);
        addresses = in_turns(found);
    }
    const auto winner = co_await run_race(addresses);
    const auto executor = co_await asio::this_coro::executor;
    Socket connected(executor, winner->release());
    co_return connected;
}

}  // namespace device_streams
