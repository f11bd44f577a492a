#pragma once

#include "common/ws/frame.hpp"
#include "tests/unit/ws/fake_transport.hpp"

#include <string>

namespace device_streams::ws::test_frames {

/// A frame as a peer of that role sends it, built apart from the code under test.
inline std::string frame(Role from, int opcode, const std::string& payload, bool fin = true) {
    std::string text;
    text.push_back(static_cast<char>((fin ? 0x80 : 0) | opcode));
    const char mask_bit = from == Role::client ? '\x80' : '\0';
    if (payload.size() < 126) {
        text.push_back(static_cast<char>(mask_bit | static_cast<char>(payload.size())));
    } else {
        const int length_bytes = payload.size() < 65'536 ? 2 : 8;
        text.push_back(static_cast<char>(mask_bit | static_cast<char>(length_bytes == 2 ? 126 : 127)));
        for (int i = length_bytes - 1; i >= 0; --i) text.push_back(static_cast<char>(payload.size() >> (8 * i)));
    }
    if (from == Role::server) return text + payload;
    const std::string key = "\x37\xfa\x21\x3d";
    text += key;
    for (std::size_t i = 0; i < payload.size(); ++i) text.push_back(static_cast<char>(payload[i] ^ key[i % 4]));
    return text;
}

inline std::string from_client(int opcode, const std::string& payload, bool fin = true) {
    return frame(Role::client, opcode, payload, fin);
}
inline std::string from_server(int opcode, const std::string& payload, bool fin = true) {
    return frame(Role::server, opcode, payload, fin);
}

/// Payload with a pattern, so that lost, doubled and moved bytes show.
inline std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + i / 251);
    return text;
}

struct SentFrame {
    Opcode opcode;
    bool fin;
    std::string payload;
    bool operator==(const SentFrame&) const = default;
};

/// Takes apart what a stream sent; checks that it is masked exactly when `from` is the client. Throws when it is not
/// whole.
inline std::vector<SentFrame> parse_sent(const std::string& sent, Role from) {
    std::vector<SentFrame> frames;
    auto bytes = device_streams::test::bytes_of(sent);
    WritableBytes rest(bytes);
    while (!rest.empty()) {
        std::size_t size = 0;
        const auto header = read_header(rest, size);
        if (!header || rest.size() - size < header->length) throw std::logic_error("a cut frame was sent");
        if (header->mask.has_value() != (from == Role::client)) throw std::logic_error("the masking is wrong");
        const auto body = rest.subspan(size, header->length);
        if (header->mask) apply_mask(body, *header->mask, 0);
        frames.push_back({header->opcode, header->fin, device_streams::test::text_of(body)});
        rest = rest.subspan(size + header->length);
    }
    return frames;
}

}  // namespace device_streams::ws::test_frames
