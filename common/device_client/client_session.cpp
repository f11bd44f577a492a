#include "common/device_client/client_session.hpp"

#include "common/base/error.hpp"
#include "common/iothub/takeover.hpp"

#include <algorithm>

namespace device_streams::device {

namespace {

constexpr std::uint16_t subscribe_id = 1;

[[noreturn]] void refuse(std::uint8_t code) {
    switch (code) {
        case 1:
            throw Failure(Errc::hub_protocol, "the hub does not speak MQTT 3.1.1 (CONNACK 1)");
        case 2:
            throw Failure(Errc::hub_refused_login, "device or module id not accepted (CONNACK 2)");
        case 3:
            throw Failure(Errc::hub_busy, "the hub is overloaded or the device disabled (CONNACK 3)");
        case 4:
            throw Failure(Errc::hub_refused_login, "malformed user name or password (CONNACK 4)");
        case 5:
            throw Failure(Errc::hub_refused_login,
                          "wrong or expired credential, or unknown or disabled device (CONNACK 5)");
        default:
            throw Failure(Errc::hub_protocol, "unknown CONNACK code " + std::to_string(code));
    }
}

Failure taken_over(const std::string& by) {
    return {Errc::identity_taken_over, "a machine" + (by.empty() ? "" : " at " + by) + " uses this device id"};
}

}  // namespace

ClientSession::ClientSession(mqtt::Connect login, SessionLimits limits)
    : login_(std::move(login)), limits_(limits), keep_alive_(std::chrono::seconds(login_.keep_alive)) {
}

void ClientSession::enter(State state, Time now) {
    state_ = state;
    entered_ = now;
    ping_unanswered_ = false;
}

ClientSession::Actions ClientSession::send(mqtt::Packet packet, Time now) {
    last_sent_ = now;
    Actions actions;
    actions.send.push_back(std::move(packet));
    return actions;
}

ClientSession::Actions ClientSession::start(Time now) {
    enter(State::connecting, now);
    heard(now);
    return send(std::move(login_), now);
}

void ClientSession::heard(Time now) {
    last_heard_ = now;
    ping_unanswered_ = false;
}

ClientSession::Actions ClientSession::receive(const mqtt::Packet& packet, Time now) {
    heard(now);
    if (const auto* connack = std::get_if<mqtt::ConnAck>(&packet)) return on_connack(*connack, now);
    if (state_ == State::connecting) throw Failure(Errc::hub_protocol, "the hub spoke before its CONNACK");
    if (const auto* suback = std::get_if<mqtt::SubAck>(&packet)) return on_suback(*suback);
    if (const auto* message = std::get_if<mqtt::Publish>(&packet)) return on_publish(*message, now);
    if (std::holds_alternative<mqtt::PingResp>(packet)) return {};
    throw Failure(Errc::hub_protocol, "an MQTT packet that answers nothing");
}

ClientSession::Actions ClientSession::on_connack(const mqtt::ConnAck& answer, Time now) {
    if (state_ != State::connecting) throw Failure(Errc::hub_protocol, "a second CONNACK");
    if (answer.code != 0) refuse(answer.code);
    enter(State::subscribing, now);
    mqtt::Subscribe subscribe;
    subscribe.packet_id = subscribe_id;
    subscribe.subscriptions = {{std::string(iothub::request_filter), 0}, {std::string(iothub::answer_filter), 0}};
    return send(std::move(subscribe), now);
}

ClientSession::Actions ClientSession::on_suback(const mqtt::SubAck& answer) {
    if (state_ == State::leaving) return {};
    if (state_ != State::subscribing || answer.packet_id != subscribe_id)
        throw Failure(Errc::hub_protocol, "a SUBACK that answers nothing");
    constexpr std::uint8_t refused = 0x80;
    if (answer.codes.empty() || std::ranges::find(answer.codes, refused) != answer.codes.end())
        throw Failure(Errc::hub_protocol, "the hub refused the subscription to stream requests");
    enter(State::up, last_heard_);
    return {};
}

ClientSession::Actions ClientSession::on_publish(const mqtt::Publish& message, Time now) {
    Actions actions;
    if (message.qos == 1 && state_ != State::leaving) actions = send(mqtt::PubAck{message.packet_id}, now);
    if (message.qos == 2) throw Failure(Errc::hub_protocol, "a message of QoS 2, which was not subscribed to");
    if (const auto by = iothub::parse_takeover_topic(message.topic); by && state_ == State::up) throw taken_over(*by);
    // A persistent session of another program with this identity may have left subscriptions: their messages are not
    // ours.
    if (!mqtt::topic_matches(iothub::request_filter, message.topic)) return actions;
    if (auto request = iothub::parse_request_topic(message.topic)) {
        actions.requests.push_back(std::move(*request));
        return actions;
    }
    const auto id = state_ == State::up ? iothub::request_id_of(message.topic) : std::nullopt;
    if (id) {
        mqtt::Publish rejection;
        rejection.topic = iothub::answer_topic({400, *id});
        actions.send.emplace_back(std::move(rejection));
        last_sent_ = now;
    }
    const Failure malformed(Errc::hub_protocol, "its topic or its URL is malformed, as a URL must be wss://");
    actions.warnings.push_back(std::string("stream request ") + (id ? "refused: " : "ignored: ") +
                               std::string(mqtt::loggable_topic(message.topic)) + ": " + explain(malformed));
    return actions;
}

ClientSession::Actions ClientSession::answer(const iothub::StreamAnswer& answer, Time now) {
    if (state_ != State::up) return {};
    mqtt::Publish message;
    message.topic = iothub::answer_topic(answer);
    return send(std::move(message), now);
}

ClientSession::Actions ClientSession::leave(Time now) {
    if (state_ == State::leaving) return {};
    enter(State::leaving, now);
    return send(mqtt::Disconnect{}, now);
}

ClientSession::Time ClientSession::deadline() const {
    switch (state_) {
        case State::connecting:
            return entered_ + limits_.connack;
        case State::subscribing:
            return entered_ + limits_.suback;
        case State::leaving:
            return entered_ + limits_.goodbye;
        case State::up:
            break;
    }
    // The hub expects to hear from us, and we from it: whichever side was silent longer decides.
    return ping_unanswered_ ? last_ping_ + limits_.ping_answer : std::min(last_sent_, last_heard_) + keep_alive_;
}

ClientSession::Actions ClientSession::tick(Time now) {
    if (now < deadline()) return {};
    switch (state_) {
        case State::connecting:
            throw Failure(Errc::hub_timeout, "no CONNACK");
        case State::subscribing:
            throw Failure(Errc::hub_timeout, "no SUBACK");
        case State::leaving:
            throw Failure(Errc::hub_timeout, "the hub did not close after DISCONNECT");
        case State::up:
            break;
    }
    if (ping_unanswered_) throw Failure(Errc::hub_timeout, "no answer to a ping on the link");
    ping_unanswered_ = true;
    last_ping_ = now;
    return send(mqtt::PingReq{}, now);
}

}  // namespace device_streams::device
