#pragma once

#include "common/http/connection.hpp"
#include "common/mqtt/codec.hpp"
#include "common/ws/frame.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>

/// What a hub said, in words that a table can hold: "401 IotHubUnauthorizedAccess, open". At its end stands "open" when
/// the hub answered the question that is asked behind every attack, and nothing when it had ended the connection.
namespace device_streams::test {

inline void tell(std::string& told, const std::string& word) {
    told += (told.empty() ? "" : ", ") + word;
}
/// "PINGRESP, PINGRESP" as "2 PINGRESP".
inline std::string without_repetition(const std::vector<std::string>& words) {
    std::string told;
    for (auto at = words.begin(); at != words.end();) {
        const auto end = std::find_if(at, words.end(), [&](const std::string& word) { return word != *at; });
        tell(told, (end - at > 2 ? std::to_string(end - at) + " " : "") + *at);
        at += end - at > 2 ? end - at : 1;
    }
    return told;
}

/// Asked behind what is sent over HTTP, on a connection that is kept.
inline const std::string http_question = "DELETE /twins/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

inline std::string websocket_transcript(std::string_view bytes, std::string& payload);

/// Answers by status and error code; behind a 101, frames.
inline std::string http_transcript(std::string_view bytes) {
    std::vector<std::string> words;
    while (!bytes.empty()) {
        const auto end = bytes.find("\r\n\r\n");
        if (end == std::string_view::npos) return without_repetition(words) + ", no HTTP";
        const auto answer = http::parse_response_head(bytes.substr(0, end + 4));
        bytes.remove_prefix(end + 4);
        const auto code = answer.headers.find("iothub-errorcode");
        words.push_back(std::to_string(answer.status) + (code ? " " + std::string(*code) : ""));
        if (answer.status == 405 && !answer.keep_alive) words.back() = "open";
        std::string payload;
        const auto frames = answer.status == 101 ? websocket_transcript(bytes, payload) : std::string();
        if (!frames.empty()) words.push_back(frames);
        if (answer.status == 101) return without_repetition(words) + (payload.empty() ? "" : ", data " + payload);
        std::size_t length = 0;
        const auto text = answer.headers.find("Content-Length").value_or("0");
        std::from_chars(text.data(), text.data() + text.size(), length);
        bytes.remove_prefix(std::min(length, bytes.size()));
    }
    return without_repetition(words);
}

/// Asked behind what is sent on an MQTT link: UNSUBSCRIBE of an id that nobody else uses.
inline const std::string mqtt_question("\xa2\x06\xbe\xef\x00\x02no", 8);
inline const std::string mqtt_answer("\xb0\x02\xbe\xef", 4);

struct PacketName {
    std::string operator()(const mqtt::ConnAck& packet) const { return "CONNACK " + std::to_string(packet.code); }
    std::string operator()(const mqtt::SubAck& packet) const {
        std::vector<std::string> codes;
        for (const auto code : packet.codes) codes.push_back(std::to_string(code));
        return "SUBACK " + std::to_string(packet.packet_id) + " (" + without_repetition(codes) + ")";
    }
    std::string operator()(const mqtt::PubAck& packet) const { return "PUBACK " + std::to_string(packet.packet_id); }
    std::string operator()(const mqtt::UnsubAck& packet) const {
        return packet.packet_id == 0xbeef ? "open" : "UNSUBACK " + std::to_string(packet.packet_id);
    }
    std::string operator()(const mqtt::PingResp&) const { return "PINGRESP"; }
    std::string operator()(const auto&) const { return "a packet that no hub sends"; }
};

/// Packets by name, with their ids and codes.
inline std::string mqtt_transcript(std::string_view bytes) {
    mqtt::Decoder decoder;
    decoder.feed(std::as_bytes(std::span(bytes)));
    std::vector<std::string> words;
    while (const auto packet = decoder.next()) words.push_back(std::visit(PacketName(), *packet));
    if (decoder.buffered() > 0) words.emplace_back("no MQTT");
    return without_repetition(words);
}

/// Control frames; `payload` receives what the data frames carry.
inline std::string websocket_transcript(std::string_view bytes, std::string& payload) {
    std::vector<std::string> words;
    while (!bytes.empty()) {
        std::size_t size = 0;
        const auto header = ws::read_header(std::as_bytes(std::span(bytes)), size);
        if (!header || header->mask || bytes.size() - size < header->length) return "no WebSocket";
        const auto body = bytes.substr(size, header->length);
        bytes.remove_prefix(size + header->length);
        const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(body[at]); };
        if (header->opcode == ws::Opcode::pong) words.push_back("pong " + std::string(body));
        if (header->opcode == ws::Opcode::ping) words.emplace_back("ping");
        if (header->opcode == ws::Opcode::close)
            words.push_back("close " + (body.size() < 2 ? "" : std::to_string(byte(0) << 8 | byte(1))));
        if (!ws::is_control(header->opcode)) payload += body;
    }
    return without_repetition(words);
}

inline bool ends_with_close(std::string_view bytes) {
    const auto at = bytes.rfind('\x88');
    return at != std::string_view::npos && bytes.size() - at >= 2 && bytes.size() - at == 2u + bytes[at + 1];
}

}  // namespace device_streams::test
