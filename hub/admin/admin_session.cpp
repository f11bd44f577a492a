#include "hub/admin/admin_session.hpp"

#include "common/async/join.hpp"
#include "common/net/dial.hpp"
#include "common/net/socket_stream.hpp"

#include <algorithm>
#include <array>

namespace device_streams::hub {

asio::awaitable<std::string> read_line(ByteStream& stream, std::size_t limit) {
    std::string line;
    std::array<char, 4096> chunk{};
    for (;;) {
        const auto size = co_await stream.read_some(std::as_writable_bytes(std::span(chunk)));
        const std::string_view text(chunk.data(), size);
        const auto end = text.find('\n');
        line += text.substr(0, end);
        if (line.size() > limit) throw Failure(Errc::peer_oversize, "line of the admin protocol");
        if (size == 0 || end != std::string_view::npos) co_return line;
    }
}

asio::awaitable<void> answer_admin_request(ByteStream& stream, AdminCommands& commands) {
    const auto line = co_await read_line(stream, admin_request_limit);
    if (line.empty()) co_return;  // somebody only looked whether we are here
    // What is no JSON becomes a discarded value, which is a request of the wrong shape.
    auto request = nlohmann::json::parse(line, nullptr, false);
    const auto answer = co_await commands.execute(std::move(request));
    co_await write_text(stream, answer.dump() + "\n");
    co_await stream.finish();
}

namespace {

// Longer than the hub gives itself for a request.
constexpr auto hub_patience = std::chrono::seconds(20);

asio::awaitable<nlohmann::json> converse(ByteStream& hub, std::string request) {
    // An answer may list every device.
    constexpr std::size_t answer_limit = 256 * 1024 * 1024;
    try {
        co_await write_text(hub, request + "\n");
        const auto line = co_await read_line(hub, answer_limit);
        if (line.empty()) throw Failure(Errc::hub_not_running, "it stopped before it answered");
        co_return nlohmann::json::parse(line, nullptr, false);
    } catch (const StreamError& failure) {
        throw Failure(Errc::hub_not_running, failure.what());
    }
}

asio::awaitable<std::optional<Socket>> try_dial(Endpoint endpoint, Clock& clock) {
    try {
        std::optional<Socket> socket(co_await dial(endpoint, clock));
        co_return socket;
    } catch (const std::system_error&) {
        co_return std::nullopt;
    }
}

}  // namespace

asio::awaitable<std::optional<nlohmann::json>> ask_running_hub(Endpoint admin_socket, nlohmann::json request,
                                                               Clock& clock) {
    auto socket = co_await try_dial(admin_socket, clock);
    if (!socket) co_return std::nullopt;
    SocketStream stream(std::move(*socket));
    try {
        co_return co_await with_timeout(converse(stream, request.dump()), hub_patience, clock);
    } catch (const std::system_error& failure) {
        if (failure.code() != asio::error::timed_out) throw;
    }
    throw Failure(Errc::hub_not_running, "it says nothing");
}

}  // namespace device_streams::hub
