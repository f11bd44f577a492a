#include "common/async/join.hpp"
#include "common/base/version.hpp"
#include "common/net/dial.hpp"
#include "common/net/socket_stream.hpp"
#include "common/tunnel/features.hpp"
#include "common/tunnel/leg_options.hpp"
#include "device-proxy/stream_acceptor.hpp"

namespace device_streams::device {

namespace {

asio::awaitable<std::unique_ptr<ByteStream>> connect_locally(Endpoint endpoint, Clock& clock) {
    auto socket = co_await dial(std::move(endpoint), clock);
    co_return std::make_unique<SocketStream>(std::move(socket));
}

iothub::StreamUrl url_of(const iothub::StreamRequest& request) {
    auto url = iothub::parse_stream_url(request.url);
    if (!url) throw Failure(Errc::hub_protocol, "the stream's URL is not a wss:// URL");
    return std::move(*url);
}

asio::awaitable<DialledLeg> dial_leg(LegOpener& connections, HubAccess hub, iothub::StreamRequest request) {
    // Other hubs may not like connections that wait.
    return connections.dial(std::move(hub), url_of(request).endpoint(), from_own_hub(request.features));
}

Failure refused_leg(const http::Response& answer) {
    const bool over = answer.status == 404;
    return {Errc::hub_refused_stream_leg,
            over ? "the stream is over: its client left meanwhile, or it took too long" : status_text(answer)};
}

asio::awaitable<std::unique_ptr<ByteStream>> open_leg(DialledLeg dialled, HubAccess hub, iothub::StreamRequest request,
                                                      Clock& clock) {
    const auto url = url_of(request);
    auto ask = leg_handshake(url.target, request.token, std::string("device-proxy/") + version);
    ask.host = url.endpoint().to_string();
    const auto features = common_features(own_features, parse_features(request.features));
    const auto options = leg_options(ws::Role::client, features, hub.liveness, clock);
    const auto attempt = [&](http::Connection& on) { return with_timeout(ws::upgrade(on, ask), hub.timeout, clock); };
    auto upgrading = dialled.from->exchange(dialled.taken, attempt);
    const auto answer = co_await upgrade_answer(std::move(upgrading), url.endpoint());
    if (answer.status != 101) throw refused_leg(answer);
    dialled.taken.connection->transport().give_up_after(hub.liveness.dead_after);
    co_return as_stream(std::move(dialled.taken.connection), options);
}

}  // namespace

StreamEnds StreamEnds::real() {
    return {connect_locally, dial_leg, open_leg};
}

}  // namespace device_streams::device
