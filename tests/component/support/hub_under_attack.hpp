#pragma once

#include "tests/component/support/attack.hpp"
#include "tests/component/support/hub_fixture.hpp"
#include "tests/component/support/transcript.hpp"

#include <dirent.h>

namespace device_streams::hub {

/// A WebSocket frame of a client: the first byte as given, the length in its shortest form.
inline std::string masked_frame(int first, const std::string& payload) {
    std::string text(1, static_cast<char>(first));
    const auto size = payload.size();
    if (size < 126) {
        text += static_cast<char>(0x80 | size);
    } else {
        const int length_bytes = size < 65'536 ? 2 : 8;
        text += static_cast<char>(length_bytes == 2 ? 0xfe : 0xff);
        for (int i = length_bytes - 1; i >= 0; --i) text += static_cast<char>(size >> (8 * i));
    }
    const std::string key = "\x37\xfa\x21\x3d";
    text += key;
    for (std::size_t i = 0; i < size; ++i) text += static_cast<char>(payload[i] ^ key[i % 4]);
    return text;
}

/// The upgrade of a device that wants to speak MQTT.
inline const std::string mqtt_upgrade =
    "GET /$iothub/websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";

/// CONNECT of dev-01.
inline std::string honest_connect(const std::string& token) {
    mqtt::Connect packet;
    packet.client_id = "dev-01";
    packet.user_name = "localhost/dev-01/?api-version=2020-09-30";
    packet.password = Secret(token);
    const auto bytes = mqtt::encode(packet);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Whatever a case did to this hub, an honest stream runs afterwards, every descriptor is given back, and neither an
/// answer nor the log holds a key or a token.
class HubUnderAttack : public HubTest {
 protected:
    HubUnderAttack() {
        config.limits.relay.goodbye = 200ms;            // for those who do not close their side
        config.limits.pairing.handshake_timeout = 10s;  // for legs whose partner never comes
        start_hub();
        answer_to(test::http_question, address.port);  // a client's first steps need descriptors for good
        descriptors_ = open_descriptors();
        words = {{"service", service_token("localhost", service_key)},
                 {"device", device_token({"dev-01", {}}, device_key)}};
    }
    ~HubUnderAttack() override {
        serve_an_honest_stream();
        const auto given_back = [this] { return open_descriptors() <= descriptors_; };
        EXPECT_TRUE(test::eventually(given_back)) << open_descriptors() << " descriptors of " << descriptors_;
        for (const auto* key : {&device_key, &service_key}) EXPECT_FALSE(logged(key->reveal()));
    }

    Secret service_token(std::string_view scope, const Secret& key, std::int64_t life = 3600,
                         std::string_view policy = "service") {
        return iothub::make_sas_token(scope, key, clock.unix_seconds() + life, policy);
    }
    /// `text` with the words in braces replaced.
    std::string filled(std::string text) const {
        for (const auto& [word, value] : words) {
            const auto place = "{" + word + "}";
            for (auto at = text.find(place); at != std::string::npos; at = text.find(place, at))
                text.replace(at, place.size(), value.reveal());
        }
        return text;
    }
    /// All that the hub says to `text` on a TLS connection of its own, sent `piece` bytes at a time, until it ends
    /// the connection, says Close or has answered mqtt_question.
    std::string answer_to(const std::string& text, std::uint16_t port, std::size_t piece = std::string::npos) {
        auto answer = run(say(text, port, piece));
        for (const auto* key : {&device_key, &service_key}) EXPECT_EQ(answer.find(key->reveal()), std::string::npos);
        EXPECT_EQ(answer.find("sig="), std::string::npos) << answer;
        return answer;
    }

    std::map<std::string, Secret> words;

 private:
    static std::size_t open_descriptors() {
        std::size_t count = 0;
        auto* const folder = ::opendir("/proc/self/fd");
        while (::readdir(folder) != nullptr) ++count;
        ::closedir(folder);
        return count;
    }
    void serve_an_honest_stream() {
        const auto device = online_device();
        const auto service = service_client();
        const auto legs = joined_stream(*device, *service);
        run(legs.service->send(ws::Opcode::binary, "alive"));
        EXPECT_EQ(run(legs.device->receive_data(5)), "alive");
        device->vanish();
        legs.device->reset();
        legs.service->reset();
        service->leave();
    }
    asio::awaitable<std::string> say(std::string text, std::uint16_t port, std::size_t piece) {
        const bool cut = text.ends_with("{cut}"), leave = text.ends_with("{leave}");
        text.resize(text.size() - (cut ? 5 : leave ? 7 : 0));
        int fd = -1;
        const auto stream = co_await hub_clients::dial_tls(address, port, &fd);
        try {
            for (std::size_t at = 0; at < text.size(); at += std::min(piece, text.size()))
                co_await write_text(*stream, text.substr(at, piece));
            if (cut) ::shutdown(fd, SHUT_WR);
        } catch (const StreamError&) {
            // The hub had heard enough.
        }
        std::string answer;
        try {
            for (std::array<std::byte, 4096> room;;) {
                const auto size = co_await stream->read_some(room);
                if (size == 0) break;
                answer.append(reinterpret_cast<const char*>(room.data()), size);
                if (leave && answer.find("HTTP/1.1 101") != std::string::npos && answer.ends_with("\r\n\r\n")) break;
                if (answer.ends_with(test::mqtt_answer) || test::ends_with_close(answer)) break;
            }
        } catch (const StreamError&) {
            // Cut off: what came before counts.
        }
        co_return answer;
    }

    std::size_t descriptors_ = 0;
};

}  // namespace device_streams::hub
