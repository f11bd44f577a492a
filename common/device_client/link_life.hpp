#pragma once

#include "common/async/event.hpp"
#include "common/base/clock.hpp"
#include "common/base/log.hpp"
#include "common/device_client/client_session.hpp"
#include "common/mqtt/connection.hpp"
#include "common/net/byte_stream.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace device_streams::device {

/// Opens what MQTT runs on; bounded by itself, throws Failure.
using LinkOpener = std::function<asio::awaitable<std::unique_ptr<ByteStream>>()>;

/// One life of the link: from dialling to its end. It never comes back; HubLink makes the next one. Used on one strand.
class LinkLife : private mqtt::Receiver {
 public:
    /// Called on the strand.
    struct Handlers {
        std::function<void()> on_up;  ///< subscribed
        std::function<void(iothub::StreamRequest)> on_request;
    };
    LinkLife(const asio::any_io_executor& strand, Clock& clock, Log log, Handlers handlers);

    /// Opens, logs in, subscribes and serves; returns once the link was left. Throws Failure for any other end, and
    /// ends by cancellation without a word to the hub. `login` is taken when the transport is open, as tokens age.
    asio::awaitable<void> run(LinkOpener open, std::function<mqtt::Connect()> login, SessionLimits limits);

    bool up() const { return session_ && session_->state() == ClientSession::State::up; }
    /// Only while up().
    void answer(const iothub::StreamAnswer& answer);
    /// Says DISCONNECT, or gives up when it is not logged in yet.
    void leave();

 private:
    asio::awaitable<void> live(LinkOpener open, std::function<mqtt::Connect()> login, SessionLimits limits);
    asio::awaitable<void> watch();
    bool leaving() const { return session_ && session_->state() == ClientSession::State::leaving; }
    void heard() override;
    bool take(const mqtt::Packet& packet) override;
    void ended() override;
    void perform(ClientSession::Actions actions);

    asio::any_io_executor strand_;
    Clock& clock_;
    Log log_;
    Handlers handlers_;
    std::unique_ptr<ByteStream> stream_;
    std::optional<mqtt::Connection> connection_;  // over stream_
    std::unique_ptr<ClientSession> session_;
    Event deadline_moved_;
    Event gave_up_;
};

}  // namespace device_streams::device
