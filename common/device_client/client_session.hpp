#pragma once

#include "common/base/clock.hpp"
#include "common/iothub/stream_request.hpp"
#include "common/mqtt/codec.hpp"

#include <string>
#include <vector>

namespace device_streams::device {

/// How long the hub may take for each answer.
struct SessionLimits {
    Clock::duration connack = std::chrono::seconds(30);
    Clock::duration suback = std::chrono::seconds(30);
    Clock::duration ping_answer = std::chrono::seconds(5);  ///< then the hub is dead; anything heard counts as answer
    Clock::duration goodbye = std::chrono::seconds(2);      ///< from DISCONNECT to the hub's closing
};

/// The rules of one MQTT 3.1.1 link to the hub, client side, without I/O or clock: packets and times go in, actions
/// come out. A Failure thrown by a member is the end of the link and says why.
class ClientSession {
 public:
    using Time = Clock::time_point;
    enum class State {
        connecting,   ///< CONNECT sent
        subscribing,  ///< logged in, SUBSCRIBE sent
        up,           ///< subscribed: the hub may send stream requests
        leaving,      ///< DISCONNECT sent
    };

    /// What the driver is to do, in this order.
    struct Actions {
        std::vector<mqtt::Packet> send;
        std::vector<std::string> warnings;  ///< for the log; no secrets
        std::vector<iothub::StreamRequest> requests;
    };

    /// `login.keep_alive` (seconds, not 0) is also how long the link may be silent before it is probed.
    ClientSession(mqtt::Connect login, SessionLimits limits);

    /// The first packet. Call once, before all else.
    Actions start(Time now);
    /// Failures: hub_refused_login and hub_busy by CONNACK code, hub_protocol for anything a hub must not send.
    Actions receive(const mqtt::Packet& packet, Time now);
    /// Bytes came, a whole packet or not.
    void heard(Time now);
    Actions answer(const iothub::StreamAnswer& answer, Time now);
    /// Says DISCONNECT; stream requests that were on their way are still taken.
    Actions leave(Time now);
    /// Does what is due. Failure: hub_timeout.
    Actions tick(Time now);
    /// When tick is due next. Only a change of state moves it to an earlier time.
    Time deadline() const;
    State state() const { return state_; }

 private:
    Actions send(mqtt::Packet packet, Time now);
    Actions on_connack(const mqtt::ConnAck& answer, Time now);
    Actions on_suback(const mqtt::SubAck& answer);
    Actions on_publish(const mqtt::Publish& message, Time now);
    void enter(State state, Time now);

    mqtt::Connect login_;
    SessionLimits limits_;
    Clock::duration keep_alive_;
    State state_ = State::connecting;
    Time entered_{};  // the present state
    Time last_sent_{};
    Time last_heard_{};
    Time last_ping_{};
    bool ping_unanswered_ = false;
};

}  // namespace device_streams::device
