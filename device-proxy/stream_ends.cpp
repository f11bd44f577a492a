#include "common/net/dial.hpp"
#include "common/net/socket_stream.hpp"
#include "common/tunnel/features.hpp"
#include "device-proxy/stream_acceptor.hpp"

#include <algorithm>

namespace device_streams::device {

namespace {

// Header included; where the hub negotiated big frames (else the default of WsOptions).
constexpr std::size_t big_message = 65'528;

asio::awaitable<std::unique_ptr<ByteStream>> connect_locally(Endpoint endpoint, Clock& clock) {
    auto socket = co_await dial(std::move(endpoint), clock);
    co_return std::make_unique<SocketStream>(std::move(socket));
}

bool is_visible_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

ws::ClientHandshake make_ask(const iothub::StreamUrl& url, const Secret& token) {
    if (!is_visible_ascii(url.target) || !is_visible_ascii(token.reveal()))
        throw Failure(Errc::hub_protocol, "the stream's URL or token holds characters that it must not");
    ws::ClientHandshake ask;
    ask.target = url.target;
    ask.extra.add("Authorization", "Bearer " + std::string(token.reveal()));
    return ask;
}

ws::WsOptions make_options(const std::string& negotiated) {
    const auto features = common_features(own_features, parse_features(negotiated));
    ws::WsOptions options;
    options.role = ws::Role::client;
    options.half_close = features.half_close;
    if (features.big_frames) options.message_limit = big_message;
    return options;
}

asio::awaitable<StreamLeg> open_hub_leg(HubAccess hub, iothub::StreamRequest request, Clock& clock) {
    const auto url = iothub::parse_stream_url(request.url);
    if (!url) throw Failure(Errc::hub_protocol, "the stream's URL is not a wss:// URL");
    auto ask = make_ask(*url, request.token);
    const Endpoint named{.host = url->host, .port = url->port, .path = {}};
    const auto options = make_options(request.features);
    std::unique_ptr<ws::WsStream> stream;
    try {
        stream = co_await open_websocket(std::move(hub), named, std::move(ask), options, clock);
    } catch (const UpgradeRefused& refusal) {
        throw Failure(Errc::hub_refused_stream_leg, refusal.what());
    }
    StreamLeg leg;
    leg.ping = [websocket = stream.get()] { websocket->ping(); };
    leg.stream = std::move(stream);
    co_return leg;
}

}  // namespace

StreamEnds StreamEnds::real() {
    return {connect_locally, open_hub_leg};
}

}  // namespace device_streams::device
