#include "hub/admin/admin_client.hpp"

#include "hub/admin/admin_session.hpp"
#include "hub/registry/sqlite_registry.hpp"

namespace device_streams::hub {

namespace {

asio::awaitable<nlohmann::json> execute_here(const HubLocation& location, nlohmann::json request, Clock& clock) {
    SqliteRegistry registry(location.state.registry_file(), SqliteRegistry::Mode::open_existing, clock);
    AdminCommands commands(registry, location.facts);
    auto answer = co_await commands.execute(std::move(request));
    co_return answer;
}

Endpoint socket_of(const HubLocation& location) {
    Endpoint endpoint;
    endpoint.path = location.admin_socket;
    return endpoint;
}

}  // namespace

asio::awaitable<nlohmann::json> administer(HubLocation location, nlohmann::json request, Clock::duration patience,
                                           Clock& clock) {
    const auto deadline = clock.now() + patience;
    const auto socket = socket_of(location);
    for (;;) {
        const auto lock = location.state.try_lock();
        if (auto answer = co_await ask_running_hub(socket, request, clock)) co_return std::move(*answer);
        if (lock) co_return co_await execute_here(location, std::move(request), clock);
        if (clock.now() >= deadline) throw Failure(Errc::hub_not_running, socket.to_string());
        co_await clock.sleep_for(std::chrono::milliseconds(50));
    }
}

}  // namespace device_streams::hub
