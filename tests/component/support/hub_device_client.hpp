#pragma once

#include "common/iothub/stream_request.hpp"
#include "common/mqtt/codec.hpp"
#include "common/ws/handshake.hpp"
#include "common/ws/ws_stream.hpp"
#include "tests/component/support/hub_address.hpp"

#include <array>
#include <deque>
#include <optional>
#include <stdexcept>

namespace device_streams::hub_clients {

/// An MQTT device, step by step.
class DeviceClient {
 public:
    struct Options {
        iothub::Target target;
        Secret token;
        bool over_websocket = false;
        std::string subprotocol = "mqtt";
        std::string client_type;
        std::uint16_t keep_alive = 240;
    };
    DeviceClient(const HubAddress& address, Options options) : address_(address), options_(std::move(options)) {}

    /// Connects, sends CONNECT, and returns the code of CONNACK.
    asio::awaitable<int> log_in() {
        co_await connect();
        const auto code = co_await log_in_here();
        co_return code;
    }
    /// On what is connected already.
    asio::awaitable<int> log_in_here() {
        mqtt::Connect packet;
        packet.client_id = options_.target.to_string();
        packet.user_name = iothub::mqtt_user_name({address_.host, options_.target, "2020-09-30", options_.client_type});
        if (!options_.token.empty()) packet.password = options_.token;
        packet.keep_alive = options_.keep_alive;
        co_await send(packet);
        const auto answer = co_await expect<mqtt::ConnAck>();
        co_return answer.code;
    }
    asio::awaitable<void> connect() {
        auto transport = co_await dial_tls(address_, options_.over_websocket ? address_.port : address_.mqtt_port, &fd);
        if (!options_.over_websocket) {
            stream_ = std::move(transport);
            co_return;
        }
        http::Connection connection(std::move(transport));
        co_await connect_on(connection);
        if (upgrade_answer.status != 101) throw std::runtime_error("no WebSocket: " + upgrade_answer.body);
    }
    /// Over a connection that was used before; upgrade_answer says what came of it.
    asio::awaitable<void> connect_on(http::Connection& connection) {
        ws::ClientHandshake ask{
            address_.host, "/$iothub/websocket?iothub-no-client-cert=true", options_.subprotocol, {}};
        upgrade_answer = co_await ws::upgrade(connection, ask);
        if (upgrade_answer.status != 101) co_return;
        std::vector<std::byte> early;
        auto upgraded = connection.release(early);
        stream_ = std::make_unique<ws::WsStream>(std::move(upgraded), ws::WsOptions(), std::move(early));
    }
    /// Both filters in one packet, as the C SDK does; returns after the SUBACK.
    asio::awaitable<void> subscribe() {
        const mqtt::Subscribe packet{
            2, {{std::string(iothub::request_filter), 0}, {std::string(iothub::answer_filter), 0}}};
        co_await send(packet);
        co_await expect<mqtt::SubAck>();
    }
    asio::awaitable<iothub::StreamRequest> next_request() {
        const auto packet = co_await expect<mqtt::Publish>();
        auto request = iothub::parse_request_topic(packet.topic);
        if (!request || packet.qos != 0 || packet.retain || !packet.payload.empty())
            throw std::runtime_error("not a stream request");
        co_return *request;
    }
    asio::awaitable<void> answer(int status, std::string request_id, std::optional<Errc> reason = {}) {
        mqtt::Publish packet;
        packet.topic = iothub::answer_topic({status, std::move(request_id), reason});
        co_await send(packet);
    }
    asio::awaitable<void> send(mqtt::Packet packet) {
        const auto bytes = mqtt::encode(packet);
        co_await write_copy(*stream_, bytes);
    }
    asio::awaitable<void> send_raw(std::string bytes) { co_await write_text(*stream_, std::move(bytes)); }
    /// The next packet, which must be of this type.
    template <typename Packet>
    asio::awaitable<Packet> expect() {
        auto packet = co_await next();
        if (!packet) throw std::runtime_error("the hub ended the link");
        if (!std::holds_alternative<Packet>(*packet)) throw std::runtime_error("another packet than expected");
        co_return std::get<Packet>(std::move(*packet));
    }
    /// nullopt: the hub ended the link.
    asio::awaitable<std::optional<mqtt::Packet>> next() {
        std::array<std::byte, 4096> room;
        for (;;) {
            if (auto packet = decoder_.next()) co_return packet;
            std::size_t size = 0;
            try {
                size = co_await stream_->read_some(room);
            } catch (const StreamError&) {
                // The end, told less politely.
            }
            if (size == 0) co_return std::nullopt;
            decoder_.feed(std::span(room).first(size));
        }
    }
    asio::awaitable<bool> is_dropped() {
        const auto packet = co_await next();
        co_return !packet.has_value();
    }
    void vanish() { stream_->abort(CloseReason::cancelled); }
    ByteStream& stream() { return *stream_; }

    http::Response upgrade_answer;
    int fd = -1;

 private:
    const HubAddress& address_;
    Options options_;
    std::unique_ptr<ByteStream> stream_;
    mqtt::Decoder decoder_;
};

}  // namespace device_streams::hub_clients
