#include "service-proxy/local_listener.hpp"

#include "common/base/window_rate_limiter.hpp"
#include "common/net/peer_user.hpp"
#include "common/net/socket_stream.hpp"
#include "service-proxy/local_client.hpp"

#include <algorithm>
#include <mutex>

namespace device_streams::service {

namespace {

std::optional<Failure> refusal_of(const Socket& client, const Forward& forward) {
    if (forward.allow_users.empty()) return std::nullopt;
    const auto user = peer_user(client);
    if (user && std::ranges::find(forward.allow_users, *user) != forward.allow_users.end()) return std::nullopt;
    return Failure(Errc::user_not_allowed,
                   user ? "user " + std::to_string(*user) : "it is not known which user has connected");
}

}  // namespace

// Whoever is refused may try a thousand times a second.
struct LocalListener::Refusals {
    WindowRateLimiter::Verdict event(Clock::time_point now) {
        const std::lock_guard lock(mutex);
        return limiter.event(now);
    }
    std::mutex mutex;  // connections have strands of their own
    WindowRateLimiter limiter{{10, std::chrono::seconds(10)}};
};

LocalListener::LocalListener(const asio::any_io_executor& executor, const Forward& forward, InheritedSockets& inherited)
    : configured_(forward.listen),
      listeners_(listen_at_all(executor, forward.listen, &inherited)),
      forward_(forward),
      refusals_(std::make_shared<Refusals>()) {
}

void LocalListener::use(const Forward& forward, StreamTools tools) {
    tools_.emplace(std::move(tools));
    if (forward.allow_users.empty()) admit(SocketAccess::user);
    forward_ = forward;
    if (!forward.allow_users.empty()) admit(SocketAccess::everybody);
}

void LocalListener::admit(SocketAccess access) const {
    for (const auto& listener : listeners_) {
        try {
            listener->admit(access);
        } catch (const Failure& failure) {
            tools_->log.warning("the mode of a socket stays as it was", {{"reason", failure.detail()}});
        }
    }
}

void LocalListener::close() noexcept {
    for (const auto& listener : listeners_) listener->close();
}

asio::awaitable<void> LocalListener::serve(std::size_t index, TaskSet& streams) {
    for (;;) {
        const auto strand = streams.make_strand();
        Socket client = co_await listeners_[index]->accept(strand, tools_->clock, tools_->log);
        streams.spawn(strand, serve_client(std::move(client), forward_, *tools_, refusals_));
    }
}

asio::awaitable<void> LocalListener::serve_client(Socket client, Forward forward, StreamTools tools,
                                                  std::shared_ptr<Refusals> refusals) {
    StreamSession session(tools, forward, client.peer());
    if (const auto refusal = refusal_of(client, forward)) {
        const auto verdict = refusals->event(tools.clock.now());
        if (verdict.left_out > 0)
            tools.log.warning("more users of this machine were refused", {{"lines_left_out", verdict.left_out}});
        if (verdict.passes) session.refuse(*refusal);
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
