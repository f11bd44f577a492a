#include "service-proxy/service_proxy.hpp"

#include "common/base/error.hpp"

#include <asio/this_coro.hpp>

#include <algorithm>

namespace device_streams::service {

namespace {

asio::awaitable<void> keep_warm(std::shared_ptr<StreamInitiator> initiator) {
    co_await initiator->connections().keep_warm();
}

asio::awaitable<void> accept_on(std::shared_ptr<LocalListener> listener, std::size_t index, TaskSet& streams) {
    co_await listener->serve(index, streams);
}

TaskSet::OnFailure errors_to(const Log& log) {
    return [log](std::exception_ptr failure) { log.error(explain(failure)); };
}

}  // namespace

ServiceProxy::ServiceProxy(Environment environment, ServiceProxySettings settings)
    : environment_(std::move(environment)),
      settings_(std::move(settings)),
      warming_(environment_.io.get_executor(), errors_to(environment_.log)),
      streams_(environment_.io.get_executor(), errors_to(environment_.log)) {
}

ServiceProxy::~ServiceProxy() = default;

asio::awaitable<void> ServiceProxy::start() {
    control_ = co_await asio::this_coro::executor;
    accepting_.emplace(*control_, errors_to(environment_.log));
    apply(std::move(settings_));
    for (const auto& address : environment_.inherited->unused())
        environment_.log.warning("no forward uses a socket of the service manager", {{"address", address}});
}

void ServiceProxy::apply(ServiceProxySettings settings) {
    auto on_lost = listeners_;
    Listeners next, added;
    for (const auto& forward : settings.forwards) {
        const auto same = std::ranges::find(on_lost, forward.listen, [](const auto& l) { return l->configured(); });
        if (same != on_lost.end()) {
            next.push_back(*same);
            on_lost.erase(same);
        } else {
            next.push_back(std::make_shared<LocalListener>(*control_, forward, *environment_.inherited));
            added.push_back(next.back());
        }
    }
    // Nothing below fails.
    settings_ = std::move(settings);
    listeners_ = std::move(next);
    for (const auto& listener : on_lost) listener->close();
    use_hub();
    for (std::size_t i = 0; i < listeners_.size(); ++i) listeners_[i]->use(settings_.forwards[i], *tools_);
    for (const auto& listener : added) {
        for (std::size_t i = 0; i < listener->count(); ++i) accepting_->spawn(accept_on(listener, i, streams_));
        const auto& forward = listener->forward();
        environment_.log.info("listening", {{"address", listener->bound().to_string()},
                                            {"device", iothub::Target{forward.device, forward.module}.to_string()},
                                            {"service", forward.service}});
    }
}

// Streams that are being opened keep the way they started with; its idle connections are of no more use.
void ServiceProxy::use_hub() {
    if (tools_) tools_->initiator->connections().retire();
    auto initiator = std::make_shared<StreamInitiator>(environment_.io.get_executor(), settings_.hub, settings_.open,
                                                       environment_.clock, environment_.log);
    warming_.spawn(initiator->connections().strand(), keep_warm(initiator));
    tools_.emplace(StreamTools{std::move(initiator), settings_.relay, environment_.clock, environment_.log});
}

void ServiceProxy::stop_accepting() {
    for (const auto& listener : listeners_) listener->close();
    if (tools_) tools_->initiator->connections().retire();
    warming_.cancel_all();
}

void ServiceProxy::cancel() {
    streams_.cancel_all();
}

asio::awaitable<void> ServiceProxy::until_done() {
    if (accepting_) co_await accepting_->until_empty();
    co_await warming_.until_empty();
    co_await streams_.until_empty();
}

std::vector<Endpoint> ServiceProxy::endpoints() const {
    std::vector<Endpoint> bound;
    for (const auto& listener : listeners_) bound.push_back(listener->bound());
    return bound;
}

}  // namespace device_streams::service
