#include "common/base/version.hpp"
#include "common/net/dial.hpp"
#include "common/net/socket_stream.hpp"
#include "common/tunnel/leg_options.hpp"
#include "device-proxy/stream_acceptor.hpp"

namespace device_streams::device {

namespace {

asio::awaitable<std::unique_ptr<ByteStream>> connect_locally(Endpoint endpoint, Clock& clock) {
    auto socket = co_await dial(std::move(endpoint), clock);
    co_return std::make_unique<SocketStream>(std::move(socket));
}

asio::awaitable<std::unique_ptr<ByteStream>> open_hub_leg(HubAccess hub, iothub::StreamRequest request, Clock& clock) {
    const auto url = iothub::parse_stream_url(request.url);
    if (!url) throw Failure(Errc::hub_protocol, "the stream's URL is not a wss:// URL");
    auto ask = leg_handshake(url->target, request.token, std::string("device-proxy/") + version);
    const Endpoint named{.host = url->host, .port = url->port, .path = {}};
    const auto features = common_features(own_features, parse_features(request.features));
    const auto options = leg_options(ws::Role::client, features, hub.liveness, clock);
    auto connection = std::make_unique<http::Connection>(co_await open_tls(hub, named, clock));
    try {
        co_return co_await upgrade(std::move(connection), named, std::move(ask), options, hub.limit, clock);
    } catch (const UpgradeRefused& refusal) {
        const bool over = refusal.answer.status == 404;
        throw Failure(Errc::hub_refused_stream_leg,
                      over ? "the stream is over: its client left meanwhile, or it took too long" : refusal.what());
    }
}

}  // namespace

StreamEnds StreamEnds::real() {
    return {connect_locally, open_hub_leg};
}

}  // namespace device_streams::device
