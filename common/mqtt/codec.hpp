#pragma once

#include "common/base/secret.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// MQTT 3.1.1 packets (OASIS mqtt-v3.1.1-os), both directions, without I/O.
namespace device_streams::mqtt {

struct Will {
    std::string topic;
    std::vector<std::byte> payload;
    std::uint8_t qos = 0;
    bool retain = false;
    bool operator==(const Will&) const = default;
};
/// Decoded from another protocol than MQTT 3.1.1 or 3.1 (level 3, "MQIsdp"), only its name and level are filled in:
/// what follows them has a form of its own, and all a server can say is CONNACK 1.
struct Connect {
    std::string protocol_name = "MQTT";
    std::uint8_t protocol_level = 4;
    bool clean_session = false;
    std::uint16_t keep_alive = 0;  ///< seconds, 0: off
    std::string client_id;
    std::optional<Will> will;
    std::optional<std::string> user_name;
    std::optional<Secret> password;  ///< only beside a user name
    bool operator==(const Connect&) const = default;
};
struct ConnAck {
    bool session_present = false;
    std::uint8_t code = 0;  ///< 0: accepted; above 5 is not defined and means refused
    bool operator==(const ConnAck&) const = default;
};
struct Publish {
    std::string topic;
    std::uint8_t qos = 0;
    bool retain = false;
    bool duplicate = false;
    std::uint16_t packet_id = 0;  ///< QoS 1 and 2 only
    std::vector<std::byte> payload;
    bool operator==(const Publish&) const = default;
};
struct PubAck {
    std::uint16_t packet_id = 0;
    bool operator==(const PubAck&) const = default;
};
struct PubRec {
    std::uint16_t packet_id = 0;
    bool operator==(const PubRec&) const = default;
};
struct PubRel {
    std::uint16_t packet_id = 0;
    bool operator==(const PubRel&) const = default;
};
struct PubComp {
    std::uint16_t packet_id = 0;
    bool operator==(const PubComp&) const = default;
};
struct Subscription {
    std::string filter;
    std::uint8_t qos = 0;
    bool operator==(const Subscription&) const = default;
};
struct Subscribe {
    std::uint16_t packet_id = 0;
    std::vector<Subscription> subscriptions;
    bool operator==(const Subscribe&) const = default;
};
struct SubAck {
    std::uint16_t packet_id = 0;
    std::vector<std::uint8_t> codes;  ///< granted QoS 0..2, or 0x80: refused
    bool operator==(const SubAck&) const = default;
};
struct Unsubscribe {
    std::uint16_t packet_id = 0;
    std::vector<std::string> filters;
    bool operator==(const Unsubscribe&) const = default;
};
struct UnsubAck {
    std::uint16_t packet_id = 0;
    bool operator==(const UnsubAck&) const = default;
};
struct PingReq {
    bool operator==(const PingReq&) const = default;
};
struct PingResp {
    bool operator==(const PingResp&) const = default;
};
struct Disconnect {
    bool operator==(const Disconnect&) const = default;
};

using Packet = std::variant<Connect, ConnAck, Publish, PubAck, PubRec, PubRel, PubComp, Subscribe, SubAck, Unsubscribe,
                            UnsubAck, PingReq, PingResp, Disconnect>;

/// The peer broke MQTT; the connection must be closed (MQTT-4.8.0-1). Never holds payload or credentials.
class ProtocolError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// It is a client of AMQP.
class AmqpInstead : public ProtocolError {
 public:
    AmqpInstead() : ProtocolError("it speaks AMQP, and not MQTT") {}
};

/// Throws std::length_error for strings over 65,535 bytes and packets over 268,435,455. The caller answers for the
/// rest: packet ids that are not 0, topics without wildcards, QoS up to 2, a user name beside a password.
std::vector<std::byte> encode(const Packet& packet);

/// Takes bytes as they come and gives packets. When next() is called until it gives nullopt after each feed(), at most
/// one packet of at most `packet_limit` bytes (its header included) is kept.
class Decoder {
 public:
    explicit Decoder(std::size_t packet_limit = 256 * 1024) : limit_(packet_limit) {}
    void feed(std::span<const std::byte> bytes);
    /// The next whole packet; nullopt when more bytes are needed. Throws ProtocolError, as early as the fault is seen
    /// and again on each further call (as AmqpInstead where the first bytes are those of AMQP): reserved type,
    /// malformed remaining length, bad flags, bad UTF-8 or NUL in a string, oversize, packet id 0, trailing or missing
    /// bytes, empty subscription list, empty or wildcard PUBLISH topic, malformed filter, QoS 3, password without user
    /// name.
    std::optional<Packet> next();
    /// Lowers or raises the limit; before CONNECT a server allows less.
    void set_packet_limit(std::size_t limit) { limit_ = limit; }
    /// Bytes fed but not yet given out as packets.
    std::size_t buffered() const { return buffer_.size() - consumed_; }

 private:
    void drop(std::size_t size);

    std::size_t limit_;
    std::vector<std::byte> buffer_;  // holds no memory while it is empty
    std::size_t consumed_ = 0;
};

/// MQTT section 4.7: not empty, `+` alone in its level, `#` alone in the last one.
bool is_valid_filter(std::string_view filter);
/// Not empty and without wildcards.
bool is_valid_topic(std::string_view topic);
/// MQTT section 4.7 matching; a leading wildcard does not match topics that start with `$`.
bool topic_matches(std::string_view filter, std::string_view topic);
/// The topic up to `?`: what may stand in a log (bearer tokens stand behind it).
std::string_view loggable_topic(std::string_view topic);

}  // namespace device_streams::mqtt
