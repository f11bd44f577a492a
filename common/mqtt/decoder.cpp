#include "common/mqtt/body.hpp"
#include "common/mqtt/codec.hpp"
#include "common/mqtt/wire.hpp"
#include "common/text/amqp_header.hpp"

#include <openssl/crypto.h>

namespace device_streams::mqtt {

namespace {

struct Header {
    std::uint8_t first = 0;
    std::size_t size = 0;  // of the header itself
    std::size_t body_size = 0;
};

// Checked before the packet is complete, so that garbage is refused at its first byte.
void check_first_byte(std::uint8_t first) {
    const auto type = static_cast<wire::Type>(first >> 4U);
    if (type < wire::Type::connect || type > wire::Type::disconnect) throw ProtocolError("reserved MQTT packet type");
    if (type == wire::Type::publish) return;  // its flags say something; read with the body
    if ((first & 0x0FU) != wire::fixed_flags(type)) throw ProtocolError("wrong flags in the MQTT packet header");
}

// nullopt: more bytes are needed.
std::optional<Header> read_header(std::span<const std::byte> bytes) {
    constexpr std::size_t longest_length = 4;
    if (bytes.empty()) return std::nullopt;
    if (begins_as_amqp({reinterpret_cast<const char*>(bytes.data()), bytes.size()})) throw AmqpInstead();
    Header header{.first = std::to_integer<std::uint8_t>(bytes[0])};
    check_first_byte(header.first);
    for (std::size_t i = 0; i < longest_length && i + 1 < bytes.size(); ++i) {
        const auto part = std::to_integer<std::size_t>(bytes[i + 1]);
        header.body_size |= (part & 0x7FU) << (7 * i);
        if ((part & 0x80U) != 0) continue;
        header.size = i + 2;
        return header;
    }
    if (bytes.size() > longest_length) throw ProtocolError("malformed length of an MQTT packet");
    return std::nullopt;
}

}  // namespace

void Decoder::feed(std::span<const std::byte> bytes) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(consumed_));
    consumed_ = 0;
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

std::optional<Packet> Decoder::next() {
    const auto waiting = std::span<const std::byte>(buffer_).subspan(consumed_);
    const auto header = read_header(waiting);
    if (!header) return std::nullopt;
    const auto size = header->size + header->body_size;
    if (size > limit_) throw ProtocolError("an MQTT packet is larger than allowed");
    if (waiting.size() < size) return std::nullopt;
    auto packet = parse_body(header->first, waiting.subspan(header->size, header->body_size));
    drop(size);
    return packet;
}

// Wiped, as it may have held a password or a bearer token.
void Decoder::drop(std::size_t size) {
    OPENSSL_cleanse(buffer_.data() + consumed_, size);
    consumed_ += size;
    if (consumed_ < buffer_.size()) return;
    buffer_ = std::vector<std::byte>();
    consumed_ = 0;
}

}  // namespace device_streams::mqtt
