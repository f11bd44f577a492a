#include "service-proxy/local_listener.hpp"

#include "common/net/socket_stream.hpp"
#include "service-proxy/local_client.hpp"

namespace device_streams::service {

LocalListener::LocalListener(const asio::any_io_executor& executor, const Forward& forward, InheritedSockets& inherited)
    : configured_(forward.listen), listeners_(listen_at_all(executor, forward.listen, &inherited)), forward_(forward) {
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
    auto stream = co_await session.open(until_client_leaves(client));
    if (!stream) {
        client.reset();
        co_return;
    }
    SocketStream local(std::move(client));
    co_await session.carry(local, std::move(stream));
}

}  // namespace device_streams::service
