#include "service-proxy/local_listener.hpp"

#include "common/net/peer_user.hpp"
#include "common/net/socket_stream.hpp"
#include "service-proxy/local_client.hpp"

#include <algorithm>

namespace device_streams::service {

namespace {

std::optional<Failure> refusal_of(const Socket& client, const Forward& forward) {
    if (forward.allow_users.empty()) return std::nullopt;
    const auto user = peer_user(client);
    if (user && std::ranges::find(forward.allow_users, *user) != forward.allow_users.end()) return std::nullopt;
    return Failure(Errc::user_not_allowed, user ? name_of(*user) : "it is not known which user has connected");
}

}  // namespace

LocalListener::LocalListener(const asio::any_io_executor& executor, const Forward& forward, InheritedSockets& inherited)
    : configured_(forward.listen), listeners_(listen_at_all(executor, forward.listen, &inherited)), forward_(forward) {
}

void LocalListener::admit(const Forward& forward) const {
    const auto access = forward.allow_users.empty() ? SocketAccess::user : SocketAccess::everybody;
    for (const auto& listener : listeners_) listener->admit(access);
}

void LocalListener::use(const Forward& forward, StreamTools tools) {
    forward_ = forward;
    tools_.emplace(std::move(tools));
}

void LocalListener::close() noexcept {
    for (const auto& listener : listeners_) listener->close();
}

asio::awaitable<void> LocalListener::serve(std::size_t index, TaskSet& streams) {
    for (;;) {
        const auto strand = streams.make_strand();
        Socket client = co_await listeners_[index]->accept(strand, tools_->clock, tools_->log);
        streams.spawn(strand, serve_client(std::move(client), forward_, *tools_));
    }
}

asio::awaitable<void> serve_client(Socket client, Forward forward, StreamTools tools) {
    StreamSession session(std::move(tools), forward, client.peer());
    if (const auto refusal = refusal_of(client, forward)) {
        session.refuse(*refusal);
        client.reset();
        co_return;
    }
    auto stream = co_await session.open(until_client_leaves(client));
    if (!stream) {
        client.reset();
        co_return;
    }
    SocketStream local(std::move(client));
    co_await session.carry(local, std::move(stream));
}

}  // namespace device_streams::service
