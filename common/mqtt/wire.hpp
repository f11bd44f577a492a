#pragma once

#include <cstdint>
#include <string_view>

/// Numbers and rules that the MQTT encoder and decoder share; nobody else needs them.
namespace device_streams::mqtt::wire {

/// The upper half of a packet's first byte (MQTT 2.2.1).
enum class Type : std::uint8_t {
    connect = 1,
    conn_ack,
    publish,
    pub_ack,
    pub_rec,
    pub_rel,
    pub_comp,
    subscribe,
    sub_ack,
    unsubscribe,
    unsub_ack,
    ping_req,
    ping_resp,
    disconnect,
};

/// The lower half of the first byte of every packet but PUBLISH (MQTT 2.2.2).
constexpr std::uint8_t fixed_flags(Type type) {
    return type == Type::pub_rel || type == Type::subscribe || type == Type::unsubscribe ? 0x02 : 0x00;
}

namespace publish_flag {
inline constexpr unsigned retain = 0x01;
inline constexpr unsigned qos_shift = 1;
inline constexpr unsigned duplicate = 0x08;
}  // namespace publish_flag

namespace connect_flag {
inline constexpr unsigned reserved = 0x01;
inline constexpr unsigned clean_session = 0x02;
inline constexpr unsigned will = 0x04;
inline constexpr unsigned will_qos_shift = 3;
inline constexpr unsigned will_retain = 0x20;
inline constexpr unsigned password = 0x40;
inline constexpr unsigned user_name = 0x80;
}  // namespace connect_flag

inline constexpr std::uint8_t subscription_refused = 0x80;

/// MQTT 3.1.1 and its forerunner lay CONNECT out alike; other protocols do not.
constexpr bool has_known_layout(std::string_view protocol_name, std::uint8_t level) {
    return (protocol_name == "MQTT" && level == 4) || (protocol_name == "MQIsdp" && level == 3);
}

}  // namespace device_streams::mqtt::wire
