#include "common/mqtt/body.hpp"

#include "common/mqtt/wire.hpp"
#include "common/text/utf8.hpp"

namespace device_streams::mqtt {

namespace {

using wire::Type;

constexpr std::uint8_t highest_qos = 2;

class Reader {
 public:
    explicit Reader(std::span<const std::byte> body) : rest_(body) {}

    bool at_end() const { return rest_.empty(); }
    void expect_end() const {
        if (!at_end()) throw ProtocolError("trailing bytes in an MQTT packet");
    }
    std::span<const std::byte> take(std::size_t size) {
        if (size > rest_.size()) throw ProtocolError("an MQTT packet ends too early");
        const auto taken = rest_.first(size);
        rest_ = rest_.subspan(size);
        return taken;
    }
    std::vector<std::byte> take_rest() {
        const auto bytes = take(rest_.size());
        return {bytes.begin(), bytes.end()};
    }
    std::uint8_t byte() { return std::to_integer<std::uint8_t>(take(1)[0]); }
    std::uint16_t number() {
        const auto high = byte();
        return static_cast<std::uint16_t>(unsigned{high} << 8U | byte());
    }
    std::uint16_t packet_id() {
        const auto id = number();
        if (id == 0) throw ProtocolError("MQTT packet id 0");
        return id;
    }
    std::span<const std::byte> field() { return take(number()); }
    std::string binary() {
        const auto bytes = field();
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    std::string text() {
        auto text = binary();
        if (text.find('\0') != std::string::npos) throw ProtocolError("NUL in an MQTT string");
        if (!is_valid_utf8(text)) throw ProtocolError("an MQTT string is not UTF-8");
        return text;
    }
    std::string topic() {
        auto topic = text();
        if (!is_valid_topic(topic)) throw ProtocolError("an MQTT topic is empty or holds a wildcard");
        return topic;
    }
    std::string filter() {
        auto filter = text();
        if (!is_valid_filter(filter)) throw ProtocolError("malformed MQTT topic filter");
        return filter;
    }

 private:
    std::span<const std::byte> rest_;
};

std::uint8_t checked_qos(unsigned qos) {
    if (qos > highest_qos) throw ProtocolError("MQTT QoS 3");
    return static_cast<std::uint8_t>(qos);
}

void check_connect_flags(unsigned flags) {
    using namespace wire::connect_flag;
    if ((flags & reserved) != 0) throw ProtocolError("reserved MQTT CONNECT flag is set");
    const bool will_details = (flags & (will_retain | 3U << will_qos_shift)) != 0;
    if ((flags & will) == 0 && will_details) throw ProtocolError("MQTT CONNECT will flags without a will");
    if ((flags & password) != 0 && (flags & user_name) == 0)
        throw ProtocolError("MQTT CONNECT has a password without a user name");
}

Will read_will(unsigned flags, Reader& in) {
    const auto qos = checked_qos(flags >> wire::connect_flag::will_qos_shift & 3U);
    Will will{.topic = in.topic(), .payload = {}, .qos = qos, .retain = (flags & wire::connect_flag::will_retain) != 0};
    const auto payload = in.field();
    will.payload.assign(payload.begin(), payload.end());
    return will;
}

Packet read_connect(Reader& in) {
    Connect packet;
    packet.protocol_name = in.text();
    packet.protocol_level = in.byte();
    if (!wire::has_known_layout(packet.protocol_name, packet.protocol_level)) return packet;
    const unsigned flags = in.byte();
    check_connect_flags(flags);
    packet.clean_session = (flags & wire::connect_flag::clean_session) != 0;
    packet.keep_alive = in.number();
    packet.client_id = in.text();
    if ((flags & wire::connect_flag::will) != 0) packet.will = read_will(flags, in);
    if ((flags & wire::connect_flag::user_name) != 0) packet.user_name = in.text();
    if ((flags & wire::connect_flag::password) != 0) packet.password = Secret(in.binary());
    in.expect_end();
    return packet;
}

Packet read_conn_ack(Reader& in) {
    const auto flags = in.byte();
    if (flags > 1) throw ProtocolError("reserved MQTT CONNACK flag is set");
    const ConnAck packet{.session_present = flags == 1, .code = in.byte()};
    in.expect_end();
    return packet;
}

Packet read_publish(unsigned first_byte, Reader& in) {
    Publish packet;
    packet.qos = checked_qos(first_byte >> wire::publish_flag::qos_shift & 3U);
    packet.retain = (first_byte & wire::publish_flag::retain) != 0;
    packet.duplicate = (first_byte & wire::publish_flag::duplicate) != 0;
    if (packet.duplicate && packet.qos == 0) throw ProtocolError("an MQTT QoS 0 PUBLISH is marked as duplicate");
    packet.topic = in.topic();
    if (packet.qos > 0) packet.packet_id = in.packet_id();
    packet.payload = in.take_rest();
    return packet;
}

template <typename IdOnly>
Packet read_id_only(Reader& in) {
    const IdOnly packet{.packet_id = in.packet_id()};
    in.expect_end();
    return packet;
}

template <typename Empty>
Packet read_empty(const Reader& in) {
    in.expect_end();
    return Empty{};
}

void expect_more(const Reader& in) {
    if (in.at_end()) throw ProtocolError("an MQTT packet lists nothing");
}

Packet read_subscribe(Reader& in) {
    Subscribe packet{.packet_id = in.packet_id(), .subscriptions = {}};
    expect_more(in);
    while (!in.at_end()) {
        auto filter = in.filter();
        packet.subscriptions.push_back({.filter = std::move(filter), .qos = checked_qos(in.byte())});
    }
    return packet;
}

Packet read_sub_ack(Reader& in) {
    SubAck packet{.packet_id = in.packet_id(), .codes = {}};
    expect_more(in);
    while (!in.at_end()) {
        const auto code = in.byte();
        packet.codes.push_back(code == wire::subscription_refused ? code : checked_qos(code));
    }
    return packet;
}

Packet read_unsubscribe(Reader& in) {
    Unsubscribe packet{.packet_id = in.packet_id(), .filters = {}};
    expect_more(in);
    while (!in.at_end()) packet.filters.push_back(in.filter());
    return packet;
}

}  // namespace

Packet parse_body(std::uint8_t first_byte, std::span<const std::byte> body) {
    Reader in(body);
    switch (static_cast<Type>(first_byte >> 4U)) {
        case Type::connect:
            return read_connect(in);
        case Type::conn_ack:
            return read_conn_ack(in);
        case Type::publish:
            return read_publish(first_byte, in);
        case Type::pub_ack:
            return read_id_only<PubAck>(in);
        case Type::pub_rec:
            return read_id_only<PubRec>(in);
        case Type::pub_rel:
            return read_id_only<PubRel>(in);
        case Type::pub_comp:
            return read_id_only<PubComp>(in);
        case Type::subscribe:
            return read_subscribe(in);
        case Type::sub_ack:
            return read_sub_ack(in);
        case Type::unsubscribe:
            return read_unsubscribe(in);
        case Type::unsub_ack:
            return read_id_only<UnsubAck>(in);
        case Type::ping_req:
            return read_empty<PingReq>(in);
        case Type::ping_resp:
            return read_empty<PingResp>(in);
        case Type::disconnect:
            return read_empty<Disconnect>(in);
    }
    throw ProtocolError("reserved MQTT packet type");
}

}  // namespace device_streams::mqtt
