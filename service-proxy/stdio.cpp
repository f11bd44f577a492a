#include "service-proxy/stdio.hpp"

#include "common/base/error.hpp"
#include "common/net/pipe_stream.hpp"

namespace device_streams::service {

StdioProxy::StdioProxy(Environment environment, ServiceProxySettings settings, Forward target,
                       std::pair<int, int> in_and_out, OnFailure on_failure)
    : environment_(std::move(environment)),
      settings_(std::move(settings)),
      target_(std::move(target)),
      on_failure_(std::move(on_failure)),
      local_(make_pipe_stream(environment_.io.get_executor(), in_and_out.first, in_and_out.second)),
      stream_(environment_.io.get_executor(), [this](std::exception_ptr failure) {
          environment_.log.error(explain(failure));
          fail({Errc::internal, explain(failure)});
      }) {
}

// No warm connections: there is one stream, and its connection becomes its leg.
asio::awaitable<void> StdioProxy::start() {
    auto initiator = std::make_shared<StreamInitiator>(environment_.io.get_executor(), settings_.hub, settings_.open,
                                                       environment_.clock, environment_.log);
    stream_.spawn(serve(StreamTools{std::move(initiator), settings_.relay, environment_.clock, environment_.log}));
    co_return;
}

asio::awaitable<void> StdioProxy::serve(StreamTools tools) {
    StreamSession session(std::move(tools), target_, "stdio");
    auto stream = co_await session.open(wait_until_lost(*local_));
    bool clean = false;
    if (stream) clean = co_await session.carry(*local_, std::move(stream));
    local_->abort(CloseReason::clean);
    if (session.failure())
        fail(*session.failure());
    else
        environment_.finish(clean ? exit_ok : exit_failure);
}

void StdioProxy::fail(const Failure& failure) {
    on_failure_(failure);
    environment_.finish(exit_code_for(failure.errc()));
}

}  // namespace device_streams::service
