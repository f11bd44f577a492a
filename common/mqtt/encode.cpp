#include "common/mqtt/codec.hpp"
#include "common/mqtt/wire.hpp"

#include <algorithm>
#include <limits>

namespace device_streams::mqtt {

namespace {

using wire::Type;

constexpr std::size_t longest_body = 268'435'455;  // four bytes of seven bits

[[noreturn]] void refuse_size() {
    throw std::length_error("an MQTT packet is limited to 268435455 bytes");
}

class Writer {
 public:
    void byte(unsigned value) { body_.push_back(static_cast<std::byte>(value)); }
    void number(std::uint16_t value) {
        byte(value >> 8U);
        byte(value & 0xFFU);
    }
    void raw(std::span<const std::byte> bytes) {
        if (bytes.size() > longest_body - std::min(body_.size(), longest_body)) refuse_size();
        body_.insert(body_.end(), bytes.begin(), bytes.end());
    }
    void field(std::span<const std::byte> bytes) {
        if (bytes.size() > std::numeric_limits<std::uint16_t>::max())
            throw std::length_error("an MQTT field is limited to 65535 bytes");
        number(static_cast<std::uint16_t>(bytes.size()));
        raw(bytes);
    }
    void field(std::string_view text) { field(std::as_bytes(std::span(text))); }

    /// The whole packet: first byte, length, body.
    std::vector<std::byte> framed(std::uint8_t first_byte) const {
        if (body_.size() > longest_body) refuse_size();
        std::vector<std::byte> packet{static_cast<std::byte>(first_byte)};
        packet.reserve(body_.size() + 5);
        auto left = body_.size();
        do {
            const auto more = left > 0x7F ? 0x80U : 0x00U;
            packet.push_back(static_cast<std::byte>((left & 0x7FU) | more));
            left >>= 7U;
        } while (left > 0);
        packet.insert(packet.end(), body_.begin(), body_.end());
        return packet;
    }

 private:
    std::vector<std::byte> body_;
};

constexpr std::uint8_t first_byte(Type type) {
    return static_cast<std::uint8_t>(static_cast<unsigned>(type) << 4U | wire::fixed_flags(type));
}

// Each `write` puts the body and returns the packet's first byte.

std::uint8_t write(const Connect& packet, Writer& out) {
    unsigned flags = 0;
    if (packet.clean_session) flags |= wire::connect_flag::clean_session;
    if (packet.user_name) flags |= wire::connect_flag::user_name;
    if (packet.password) flags |= wire::connect_flag::password;
    if (packet.will) {
        flags |= wire::connect_flag::will | unsigned{packet.will->qos} << wire::connect_flag::will_qos_shift;
        if (packet.will->retain) flags |= wire::connect_flag::will_retain;
    }
    out.field(packet.protocol_name);
    out.byte(packet.protocol_level);
    out.byte(flags);
    out.number(packet.keep_alive);
    out.field(packet.client_id);
    if (packet.will) {
        out.field(packet.will->topic);
        out.field(packet.will->payload);
    }
    if (packet.user_name) out.field(*packet.user_name);
    if (packet.password) out.field(packet.password->reveal());
    return first_byte(Type::connect);
}

std::uint8_t write(const ConnAck& packet, Writer& out) {
    out.byte(packet.session_present ? 1 : 0);
    out.byte(packet.code);
    return first_byte(Type::conn_ack);
}

std::uint8_t write(const Publish& packet, Writer& out) {
    out.field(packet.topic);
    if (packet.qos > 0) out.number(packet.packet_id);
    out.raw(packet.payload);
    unsigned flags = unsigned{packet.qos} << wire::publish_flag::qos_shift;
    if (packet.retain) flags |= wire::publish_flag::retain;
    if (packet.duplicate) flags |= wire::publish_flag::duplicate;
    return static_cast<std::uint8_t>(first_byte(Type::publish) | flags);
}

std::uint8_t write_id(std::uint16_t packet_id, Type type, Writer& out) {
    out.number(packet_id);
    return first_byte(type);
}
std::uint8_t write(const PubAck& packet, Writer& out) {
    return write_id(packet.packet_id, Type::pub_ack, out);
}
std::uint8_t write(const PubRec& packet, Writer& out) {
    return write_id(packet.packet_id, Type::pub_rec, out);
}
std::uint8_t write(const PubRel& packet, Writer& out) {
    return write_id(packet.packet_id, Type::pub_rel, out);
}
std::uint8_t write(const PubComp& packet, Writer& out) {
    return write_id(packet.packet_id, Type::pub_comp, out);
}
std::uint8_t write(const UnsubAck& packet, Writer& out) {
    return write_id(packet.packet_id, Type::unsub_ack, out);
}

std::uint8_t write(const Subscribe& packet, Writer& out) {
    out.number(packet.packet_id);
    for (const auto& subscription : packet.subscriptions) {
        out.field(subscription.filter);
        out.byte(subscription.qos);
    }
    return first_byte(Type::subscribe);
}

std::uint8_t write(const SubAck& packet, Writer& out) {
    out.number(packet.packet_id);
    for (const auto code : packet.codes) out.byte(code);
    return first_byte(Type::sub_ack);
}

std::uint8_t write(const Unsubscribe& packet, Writer& out) {
    out.number(packet.packet_id);
    for (const auto& filter : packet.filters) out.field(filter);
    return first_byte(Type::unsubscribe);
}

std::uint8_t write(const PingReq&, Writer&) {
    return first_byte(Type::ping_req);
}
std::uint8_t write(const PingResp&, Writer&) {
    return first_byte(Type::ping_resp);
}
std::uint8_t write(const Disconnect&, Writer&) {
    return first_byte(Type::disconnect);
}

}  // namespace

std::vector<std::byte> encode(const Packet& packet) {
    Writer body;
    const auto first = std::visit([&body](const auto& one) { return write(one, body); }, packet);
    return body.framed(first);
}

}  // namespace device_streams::mqtt
