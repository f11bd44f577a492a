#include "common/net/connect_first.hpp"

#include "common/async/event.hpp"
#include "common/async/join.hpp"
#include "common/net/socket_options.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/this_coro.hpp>

#include <chrono>
#include <memory>
#include <optional>

namespace device_streams {

namespace {

constexpr auto head_start = std::chrono::milliseconds(250);

// Attempts that run side by side; the first to connect wins and closes the others.
struct Race {
    Race(const asio::any_io_executor& executor, std::optional<std::uint16_t> segments)
        : mss(segments), changed(executor) {}
    void end() {
        over = true;
        for (auto& runner : runners) runner->close();
    }
    const std::optional<std::uint16_t> mss;
    Event changed;
    bool over = false;
    std::size_t running = 0;
    std::vector<std::shared_ptr<Readiness>> runners;
    std::shared_ptr<Readiness> winner;
    std::error_code last_error;
};

asio::awaitable<std::error_code> connect(Readiness& socket, const SocketAddress& address) {
    if (socket_calls::connect(socket.handle(), address)) co_return std::error_code();
    const auto refused = socket_calls::last_error();
    if (refused != asio::error::in_progress) co_return refused;
    for (;;) {
        co_await socket.wait(asio::socket_base::wait_write);  // may also tell what the socket was before connect()
        const auto error = socket_options::take_error(socket.handle());
        if (error || socket_options::peer_address(socket.handle())) co_return error;
    }
}

asio::awaitable<void> attempt(std::shared_ptr<Race> race, std::shared_ptr<Readiness> socket, SocketAddress address) {
    std::error_code error;
    try {
        error = co_await connect(*socket, address);
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
    race->changed.wake();
}

void start_attempt(const asio::any_io_executor& executor, const std::shared_ptr<Race>& race,
                   const SocketAddress& address) {
    const auto handle = socket_calls::socket(address.protocol().family());
    if (handle == no_socket) {
        race->last_error = socket_calls::last_error();
        race->changed.wake();
        return;
    }
    if (race->mss) socket_options::limit_segments(handle, *race->mss);
    auto socket = std::make_shared<Readiness>(executor, handle);
    race->runners.push_back(socket);
    ++race->running;
    asio::co_spawn(executor, attempt(race, socket, address), asio::detached);
}

}  // namespace

asio::awaitable<Socket> connect_first(std::vector<SocketAddress> addresses, Clock& clock,
                                      std::optional<std::uint16_t> mss) {
    const auto executor = co_await asio::this_coro::executor;
    const auto race = std::make_shared<Race>(executor, mss);
    struct Finish {
        Race& race;
        ~Finish() { race.end(); }
    } finish{*race};
    for (std::size_t next = 0; !race->winner && (next < addresses.size() || race->running > 0);) {
        if (next < addresses.size()) start_attempt(executor, race, addresses[next++]);
        // Also after an attempt that has ended already: its wake must not shorten the head start of the next one.
        if (next < addresses.size()) {
            co_await first_of(race->changed.wait(), clock.sleep_for(head_start));
        } else {
            co_await race->changed.wait();
        }
    }
    if (!race->winner) throw std::system_error(race->last_error);
    Socket connected(executor, race->winner->release());
    co_return connected;
}

}  // namespace device_streams
