#include "tests/component/support/bad_frames.hpp"

// WebSocket frames where a device should speak MQTT, row by row. A Ping and the end of the connection follow.
namespace device_streams::hub::bad_mqtt_frames_test {
namespace {

using namespace frames;

const std::string broken = "close 1002";

class HubBadMqttFrame : public HubUnderAttack, public testing::WithParamInterface<Attack> {
 protected:
    // `login` is answered before the frames are sent, unless it is empty.
    std::string frames_told(const std::string& login, const std::string& frames) {
        const auto answer = run(say(login, frames + question));
        std::string payload;
        return test::websocket_transcript(
            std::string_view(answer).substr(std::min(answer.find("\r\n\r\n") + 4, answer.size())), payload);
    }

 private:
    asio::awaitable<std::string> say(std::string login, std::string frames) {
        int fd = -1;
        const auto stream = co_await hub_clients::dial_tls(address, address.port, &fd);
        std::string answer;
        const auto read = [&]() -> asio::awaitable<bool> {
            std::array<std::byte, 4096> room;
            const auto size = co_await stream->read_some(room);
            answer.append(reinterpret_cast<const char*>(room.data()), size);
            co_return size > 0;
        };
        const auto accepted = [&] { return answer.find(raw("\x20\x02\0\0")) != std::string::npos; };
        try {
            if (login.empty()) {
                co_await write_text(*stream, mqtt_upgrade + frames);
            } else {
                co_await write_text(*stream, mqtt_upgrade + login);
                while (!accepted() && co_await read()) continue;
                co_await write_text(*stream, frames);
            }
            ::shutdown(fd, SHUT_WR);
            while (co_await read()) continue;
        } catch (const StreamError&) {
            // Cut off: what came before counts.
        }
        co_return answer;
    }
};

TEST_P(HubBadMqttFrame, InsteadOfALogin) {
    EXPECT_EQ(frames_told("", GetParam().sent), GetParam().told);
    if (GetParam().told == broken) {
        EXPECT_TRUE(eventually_logged("DS-602")) << whole_log();
    }
}

TEST_P(HubBadMqttFrame, OnALink) {
    const auto login = std::string(words.at("device").reveal());
    const auto ends = frames_told(masked_frame(binary, honest_connect(login)), GetParam().sent);
    // Who leaves without DISCONNECT and Close is lost; before its login it was nobody.
    const auto told = GetParam().told == "pong ?, close 1000" ? "pong ?, close 1011" : GetParam().told;
    EXPECT_EQ(ends, told);
    if (GetParam().told == broken) {
        EXPECT_TRUE(eventually_logged("device link down device=dev-01")) << whole_log();
        EXPECT_TRUE(logged("DS-602")) << whole_log();
    }
}

std::vector<Attack> all_violations() {
    std::vector<Attack> rows;
    for (const auto& [name, sent] : violations) rows.push_back({name, sent, broken});
    return rows;
}
INSTANTIATE_TEST_SUITE_P(Violation, HubBadMqttFrame, testing::ValuesIn(all_violations()), attack_name);

const std::string open = "pong ?, close 1000";
INSTANTIATE_TEST_SUITE_P(
    Odd, HubBadMqttFrame,
    testing::Values(Attack{"Nothing", "", open}, Attack{"Text", masked_frame(text, ""), broken},
                    Attack{"TextInFragments", masked_frame(0x01, "") + masked_frame(last, ""), broken},
                    Attack{"EmptyMessage", masked_frame(binary, ""), open},
                    Attack{"EmptyFragments", masked_frame(part, "") + times(1'000, masked_frame(more, "")), open},
                    Attack{"PongsUnasked", times(1'000, masked_frame(pong, "y")), open},
                    Attack{"CloseWithReason", closing(1000, "that's all"), "close 1000"},
                    Attack{"CloseTwice", closing(1000) + closing(1000), "close 1000"},
                    Attack{"CloseBeforeGarbage", closing(1000) + "garbage", "close 1000"}),
    attack_name);

}  // namespace
}  // namespace device_streams::hub::bad_mqtt_frames_test
