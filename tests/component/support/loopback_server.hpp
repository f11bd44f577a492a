#pragma once

#include "common/async/task_set.hpp"
#include "common/net/listener.hpp"
#include "tests/component/support/background.hpp"

#include <functional>
#include <utility>

namespace device_streams::test {

/// Accepts on 127.0.0.1 until its end, which ends all that it serves; each connection has a strand of its own. What
/// `serve` uses outlives it: the last member of its owner.
class LoopbackServer {
 public:
    using Serve = std::function<asio::awaitable<void>(Socket)>;

    /// Port 0: one that the kernel picks.
    LoopbackServer(Background& background, Serve serve, std::uint16_t port = 0)
        : background_(background),
          serve_(std::move(serve)),
          tasks_(background.io.get_executor()),
          listener_(background.io.get_executor(), Endpoint{.host = "127.0.0.1", .port = port, .path = {}}) {
        tasks_.spawn(accept());
    }
    ~LoopbackServer() {
        tasks_.cancel_all();
        background_.wait_for(tasks_.until_empty());
    }
    LoopbackServer(const LoopbackServer&) = delete;
    LoopbackServer& operator=(const LoopbackServer&) = delete;

    const Endpoint& endpoint() const { return listener_.endpoint(); }

 private:
    asio::awaitable<void> accept() {
        const Log silent(std::make_shared<CapturedLog>());
        for (;;) {
            const auto strand = tasks_.make_strand();
            Socket socket = co_await listener_.accept(strand, clock_, silent);
            tasks_.spawn(strand, serve_(std::move(socket)));
        }
    }

    Background& background_;
    SystemClock clock_;
    Serve serve_;
    TaskSet tasks_;
    Listener listener_;
};

}  // namespace device_streams::test
