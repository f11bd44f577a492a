#include "hub/devices/device_session.hpp"

#include "common/iothub/connection_string.hpp"
#include "common/iothub/errors.hpp"
#include "common/iothub/twin_request.hpp"

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>

namespace device_streams::hub {

namespace {

constexpr auto longest_silence = std::chrono::seconds(1767);
constexpr std::uint8_t highest_granted_qos = 1;
// Azure documents 5, but its C SDK asks for 7 in one packet. Nothing is kept of a subscription but whether requests are
// taken, so it is the packet that is limited, and a subscription may be repeated as often as the device likes.
constexpr std::size_t subscriptions_per_packet = 16;
constexpr std::uint8_t subscription_refused = 0x80;

Clock::duration silence_for(std::uint16_t keep_alive) {
    if (keep_alive == 0) return longest_silence;
    const auto limit = std::chrono::milliseconds(1500) * keep_alive;
    return std::min<Clock::duration>(limit, longest_silence);
}

// The filter of the SDKs, or a wider one that takes requests in.
bool takes_requests(const std::string& filter) {
    return mqtt::topic_matches(filter, "$iothub/streams/POST/name/?");
}

bool takes_twin_answers(const std::string& filter) {
    return mqtt::topic_matches(filter, iothub::some_twin_answer);
}

// Devices wait for it without end.
mqtt::Publish without_twins(const std::string& request_id) {
    const auto& error = iothub::describe(iothub::RestError::not_implemented);
    const auto text = iothub::twin_error(static_cast<int>(error.code), "this hub keeps no twins");
    const auto bytes = std::as_bytes(std::span(text));
    mqtt::Publish publish;
    publish.topic = iothub::twin_answer_topic(error.status, request_id);
    publish.payload.assign(bytes.begin(), bytes.end());
    return publish;
}

// {device} or {device}/{module}
std::optional<iothub::Target> identity_of(const std::string& client_id) {
    const auto slash = client_id.find('/');
    iothub::Target target{client_id.substr(0, slash), {}};
    if (!iothub::is_valid_identity_id(target.device_id)) return std::nullopt;
    if (slash == std::string::npos) return target;
    target.module_id = client_id.substr(slash + 1);
    if (!iothub::is_valid_identity_id(target.module_id)) return std::nullopt;
    return target;
}

}  // namespace

std::variant<Login, LoginRefused> read_login(const mqtt::Connect& packet) {
    if (packet.protocol_name != "MQTT" || packet.protocol_level != 4)
        return LoginRefused{ConnackCode::wrong_protocol_level, "it does not speak MQTT 3.1.1"};
    if (iothub::is_provisioning_user_name(packet.user_name.value_or(""), packet.client_id))
        return LoginRefused{ConnackCode::wrong_client_id, "its user name is one for a provisioning service",
                            Errc::provisioning_not_served};
    const auto target = identity_of(packet.client_id);
    if (!target) return LoginRefused{ConnackCode::wrong_client_id, "the client id is no device or module id"};
    const auto user = iothub::parse_mqtt_user_name(packet.user_name.value_or(""), !target->module_id.empty());
    if (!user) return LoginRefused{ConnackCode::malformed, "the user name is malformed"};
    if (!is_of(*user, *target))
        return LoginRefused{ConnackCode::wrong_client_id, "client id and user name name two identities"};
    return Login{*target, packet.password.value_or(Secret()), parse_announcement(user->client_type), user->client_type,
                 user->api_version};
}

SessionActions DeviceSession::received(const mqtt::Packet& packet) {
    if (phase_ == Phase::over) return {};
    if (phase_ == Phase::checking) return violation("it did not wait for the answer to CONNECT");
    if (phase_ == Phase::fresh && !std::holds_alternative<mqtt::Connect>(packet))
        return violation("its first packet is not CONNECT");
    return std::visit([this](const auto& known) { return on(known); }, packet);
}

SessionActions DeviceSession::on(const mqtt::Connect& packet) {
    if (phase_ != Phase::fresh) return violation("it sent a second CONNECT");
    auto login = read_login(packet);
    if (const auto* fault = std::get_if<LoginRefused>(&login)) return turn_away(fault->code, fault->fault, fault->why);
    silence_limit_ = silence_for(packet.keep_alive);
    phase_ = Phase::checking;
    return {CheckLogin{std::get<Login>(std::move(login))}};
}

SessionActions DeviceSession::login_decided(ConnackCode code) {
    if (code != ConnackCode::accepted) return turn_away(code, Errc::credential_refused, "the login was refused");
    phase_ = Phase::up;
    return {SendPacket{mqtt::ConnAck{.session_present = false, .code = 0}}};
}

SessionActions DeviceSession::on(const mqtt::Publish& packet) {
    if (packet.qos == 2) return violation("it published with QoS 2");
    SessionActions actions;
    if (packet.qos == 1) actions.push_back(SendPacket{mqtt::PubAck{packet.packet_id}});
    if (const auto answer = iothub::parse_answer_topic(packet.topic)) actions.push_back(TakeAnswer{*answer});
    if (const auto request_id = iothub::parse_twin_request(packet.topic); request_id && takes_twin_answers_)
        actions.push_back(SendPacket{without_twins(*request_id)});
    return actions;
}

SessionActions DeviceSession::on(const mqtt::Subscribe& packet) {
    mqtt::SubAck ack{packet.packet_id, {}};
    bool requests = false;
    for (const auto& subscription : packet.subscriptions) {
        if (ack.codes.size() >= subscriptions_per_packet) {
            ack.codes.push_back(subscription_refused);
            continue;
        }
        ack.codes.push_back(std::min(subscription.qos, highest_granted_qos));
        requests = requests || takes_requests(subscription.filter);
        takes_twin_answers_ = takes_twin_answers_ || takes_twin_answers(subscription.filter);
    }
    SessionActions actions{SendPacket{std::move(ack)}};
    if (requests && !std::exchange(takes_requests_, true)) actions.push_back(StartRequests{});
    return actions;
}

SessionActions DeviceSession::on(const mqtt::Unsubscribe& packet) {
    SessionActions actions;
    if (std::ranges::any_of(packet.filters, takes_requests) && std::exchange(takes_requests_, false))
        actions.push_back(StopRequests{});
    if (std::ranges::any_of(packet.filters, takes_twin_answers)) takes_twin_answers_ = false;
    actions.push_back(SendPacket{mqtt::UnsubAck{packet.packet_id}});
    return actions;
}

SessionActions DeviceSession::on(const mqtt::PingReq&) {
    return {SendPacket{mqtt::PingResp{}}};
}

// Nothing was sent that wants one; harmless.
SessionActions DeviceSession::on(const mqtt::PubAck&) {
    return {};
}

SessionActions DeviceSession::on(const mqtt::Disconnect&) {
    phase_ = Phase::over;
    return {EndLink{std::nullopt, "the device disconnected"}};
}

SessionActions DeviceSession::violation(const char* why) {
    phase_ = Phase::over;
    return {EndLink{Errc::peer_garbage, why}};
}

SessionActions DeviceSession::turn_away(ConnackCode code, Errc fault, const std::string& why) {
    phase_ = Phase::over;
    return {SendPacket{mqtt::ConnAck{.session_present = false, .code = static_cast<std::uint8_t>(code)}},
            EndLink{fault, why}};
}

}  // namespace device_streams::hub
