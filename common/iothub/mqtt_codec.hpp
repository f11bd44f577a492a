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
namespace device_streams::iothub::mqtt {

struct Will {
    std::string topic;
    std::vector<std::byte> payload;
    std::uint8_t qos = 0;
    bool retain = false;
};
struct Connect {
    std::string protocol_name = "MQTT";
    std::uint8_t protocol_level = 4;
    bool clean_session = false;
    std::uint16_t keep_alive = 0;  ///< seconds, 0: off
    std::string client_id;
    std::optional<Will> will;
    std::optional<std::string> user_name;
    std::optional<Secret> password;
};
struct ConnAck { bool session_present = false; std::uint8_t code = 0; };
struct Publish {
    std::string topic;
    std::uint8_t qos = 0;
    bool retain = false;
    bool duplicate = false;
    std::uint16_t packet_id = 0;  ///< QoS 1 and 2 only
    std::vector<std::byte> payload;
};
struct PubAck { std::uint16_t packet_id = 0; };
struct PubRec { std::uint16_t packet_id = 0; };
struct PubRel { std::uint16_t packet_id = 0; };
struct PubComp { std::uint16_t packet_id = 0; };
struct Subscription { std::string filter; std::uint8_t qos = 0; };
struct Subscribe { std::uint16_t packet_id = 0; std::vector<Subscription> subscriptions; };
struct SubAck { std::uint16_t packet_id = 0; std::vector<std::uint8_t> codes; };
struct Unsubscribe { std::uint16_t packet_id = 0; std::vector<std::string> filters; };
struct UnsubAck { std::uint16_t packet_id = 0; };
struct PingReq {};
struct PingResp {};
struct Disconnect {};

using Packet = std::variant<Connect, ConnAck, Publish, PubAck, PubRec, PubRel, PubComp, Subscribe, SubAck, Unsubscribe,
                            UnsubAck, PingReq, PingResp, Disconnect>;

/// The peer broke MQTT; the connection must be closed (MQTT-4.8.0-1). Never holds payload or credentials.
class ProtocolError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Throws std::length_error for strings over 65,535 bytes and packets over 268,435,455.
std::vector<std::byte> encode(const Packet& packet);

/// Takes bytes as they come and gives packets. Keeps at most one packet of at most `packet_limit` bytes.
class Decoder {
 public:
    explicit Decoder(std::size_t packet_limit = 256 * 1024) : limit_(packet_limit) {}
    void feed(std::span<const std::byte> bytes);
    /// The next whole packet; nullopt when more bytes are needed. Throws ProtocolError: malformed remaining length, bad
    /// flags, bad UTF-8 or NUL in a string, oversize, packet id 0, trailing or missing bytes, empty subscription list,
    /// wildcards in a PUBLISH topic, QoS 3.
    std::optional<Packet> next();
    /// Lowers or raises the limit; before CONNECT a server allows less.
    void set_packet_limit(std::size_t limit) { limit_ = limit; }
    std::size_t buffered() const { return buffer_.size() - consumed_; }

 private:
    std::size_t limit_;
    std::vector<std::byte> buffer_;
    std::size_t consumed_ = 0;
};

/// MQTT section 4.7 matching.
bool topic_matches(std::string_view filter, std::string_view topic);
/// The topic up to `?`: what may stand in a log (bearer tokens stand behind it).
std::string_view loggable_topic(std::string_view topic);

}  // namespace device_streams::iothub::mqtt
