#include "tests/component/support/hub_under_attack.hpp"

// The MQTT endpoint, row by row, on its own port and over WebSocket. The packets come at once and in small pieces; an
// honest question follows unless the text ends with {cut}.
namespace device_streams::hub::bad_packets_test {
namespace {

std::string encoded(const mqtt::Packet& packet) {
    const auto bytes = mqtt::encode(packet);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::string field(const std::string& text) {
    return {{static_cast<char>(text.size() >> 8), static_cast<char>(text.size() & 0xff)}};
}
/// A length field and the text.
std::string string(const std::string& text) {
    return field(text) + text;
}
/// A packet of any first byte and body, with a correct length.
std::string packet(int first, const std::string& body = "") {
    std::string text(1, static_cast<char>(first));
    auto rest = body.size();
    do {
        text += static_cast<char>((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
        rest >>= 7;
    } while (rest > 0);
    return text + body;
}
constexpr int user_and_password = 0xc0;
std::string connect_body(int flags, const std::string& rest, const std::string& protocol = "MQTT", int level = 4) {
    return string(protocol) + static_cast<char>(level) + static_cast<char>(flags) + raw("\0\x3c") + rest;
}
const std::string user = "localhost/dev-01/?api-version=2020-09-30";

// {login CLIENT|USER|WORD} stands for a CONNECT with that password, as lengths are known when the word is.
std::string login(const std::string& client, const std::string& user_name, const std::string& word) {
    return "{login " + client + "|" + user_name + "|" + word + "}";
}
const std::string honest = login("dev-01", user, "device");
std::string as(const std::string& word) {
    return login("dev-01", user, word);
}
std::string publish(const std::string& topic, int qos = 0, int packet_id = 7) {
    mqtt::Publish message;
    message.topic = topic;
    message.qos = static_cast<std::uint8_t>(qos);
    message.packet_id = static_cast<std::uint16_t>(qos > 0 ? packet_id : 0);
    return encoded(message);
}
std::string subscribe(const std::string& filter, int qos = 0, int packet_id = 7) {
    return encoded(mqtt::Subscribe{static_cast<std::uint16_t>(packet_id), {{filter, static_cast<std::uint8_t>(qos)}}});
}

class HubBadPacket : public HubUnderAttack, public testing::WithParamInterface<Attack> {
 protected:
    HubBadPacket() {
        const auto other_key = add_device({"dev-02", {}});
        const auto disabled_key = add_device({"dev-03", {}});
        background.wait_for(stream_hub().registry().set_enabled({"dev-03", {}}, false));
        Permissions for_devices;
        for_devices.device_connect = true;
        const auto policy =
            background.wait_for(stream_hub().registry().add_policy("devices", for_devices, make_key_pair()));
        const iothub::Target target{"dev-01", {}};
        words["none"] = Secret();
        words["text"] = Secret("letmein");
        words["other device"] = device_token({"dev-02", {}}, other_key);
        words["disabled"] = device_token({"dev-03", {}}, disabled_key);
        words["forged"] = device_token(target, other_key);
        words["service policy"] = service_token("localhost", service_key);
        words["devices policy"] = service_token("localhost", policy.keys.primary, 3600, "devices");
        words["expired"] = service_token("localhost/devices/dev-01", device_key, -301, "");
        words["longer name"] = service_token("localhost/devices/dev-011", device_key, 3600, "");
        words["shorter name"] = service_token("localhost/devices/dev-0", device_key, 3600, "");
        words["other hub"] = service_token("hub2.example.com/devices/dev-01", device_key, 3600, "");
        words["module"] = service_token("localhost/devices/dev-01/modules/m", device_key, 3600, "");
        words["every device"] = service_token("localhost", device_key, 3600, "");
        words["repeated field"] = Secret(std::string(words["device"].reveal()) + "&se=4000000000");
        words["bearer"] = Secret("Bearer eyJhbGciOiJub25lIn0.e30.");
    }
    std::string with_logins(std::string text) const {
        for (auto at = text.find("{login "); at != std::string::npos; at = text.find("{login ", at)) {
            const auto end = text.find('}', at);
            const auto first = text.find('|', at), second = text.find('|', first + 1);
            const auto word = text.substr(second + 1, end - second - 1);
            const auto client = text.substr(at + 7, first - at - 7);
            const auto user_name = text.substr(first + 1, second - first - 1);
            const auto password = std::string(words.at(word).reveal());
            const auto packet_text =
                packet(0x10, connect_body(user_and_password, string(client) + string(user_name) + string(password)));
            text.replace(at, end - at + 1, packet_text);
            at += packet_text.size();
        }
        return text;
    }
    // Who never got as far as a link gets a plain end, who breaks MQTT on one is told so.
    std::string how_it_ends() const {
        const std::string_view told = GetParam().told;
        if (told.ends_with("open")) return "";
        if (!told.starts_with("CONNACK 0")) return "close 1000";
        return GetParam().sent.ends_with("{cut}") ? "close 1011" : "close 1002";
    }
    std::string whole() const {
        const auto text = with_logins(GetParam().sent);
        return text.ends_with("{cut}") ? text : text + test::mqtt_question;
    }
};

TEST_P(HubBadPacket, OnItsOwnPort) {
    for (const std::size_t piece : {std::string::npos, std::size_t{13}})
        EXPECT_EQ(test::mqtt_transcript(answer_to(whole(), address.mqtt_port, piece)), GetParam().told) << piece;
    EXPECT_TRUE(eventually_logged(GetParam().logged)) << whole_log();
}

TEST_P(HubBadPacket, OverWebSocket) {
    const bool cut = whole().ends_with("{cut}");
    const auto packets = whole().substr(0, whole().size() - (cut ? 5 : 0));
    for (const std::size_t piece : {packets.size() + 1, std::size_t{13}}) {
        std::string frames;
        for (std::size_t at = 0; at < packets.size(); at += piece)
            frames += masked_frame(0x82, packets.substr(at, piece));
        const auto answer = answer_to(mqtt_upgrade + frames + (cut ? "{cut}" : ""), address.port);
        std::string payload;
        const auto frames_told = test::websocket_transcript(
            std::string_view(answer).substr(std::min(answer.find("\r\n\r\n") + 4, answer.size())), payload);
        EXPECT_EQ(test::mqtt_transcript(payload), GetParam().told) << piece;
        EXPECT_EQ(frames_told, how_it_ends()) << piece;
    }
}

INSTANTIATE_TEST_SUITE_P(
    First, HubBadPacket,
    testing::Values(
        Attack{"Nothing", "{cut}", ""}, Attack{"HalfAHeader", raw("\x10\xff{cut}"), ""},
        Attack{"HalfAConnect", packet(0x10, connect_body(0xc0, string("dev-01"))).substr(0, 12) + "{cut}", ""},
        Attack{"Http", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "", "DS-602"}, Attack{"TypeZero", packet(0x00), ""},
        Attack{"TypeFifteen", packet(0xf0), ""}, Attack{"Publish", publish("a"), ""},
        Attack{"Subscribe", subscribe("$iothub/streams/POST/#"), ""}, Attack{"Ping", packet(0xc0), ""},
        Attack{"Disconnect", packet(0xe0), ""}, Attack{"ConnAck", packet(0x20, raw("\0\0")), ""},
        Attack{"ConnectWithFlags", packet(0x11, connect_body(2, string("dev-01"))), ""},
        Attack{"EmptyConnect", packet(0x10), ""}, Attack{"LengthWithoutEnd", raw("\x10\xff\xff\xff\xff\x01"), ""},
        Attack{"LengthOfManyMegabytes", raw("\x10\xff\xff\xff\x7f"), "", "DS-602"},
        Attack{"LengthJustTooLong", packet(0x10, times(16 * 1024 - 2, "x")), ""},
        Attack{"Version5", packet(0x10, connect_body(2, raw("\0") + string("dev-01"), "MQTT", 5)), "CONNACK 1"},
        Attack{"Version31", packet(0x10, connect_body(2, string("dev-01"), "MQIsdp", 3)), "CONNACK 1"},
        Attack{"Version0", packet(0x10, connect_body(2, string("dev-01"), "MQTT", 0)), "CONNACK 1"},
        Attack{"Version255", packet(0x10, connect_body(2, string("dev-01"), "MQTT", 255)), "CONNACK 1"},
        Attack{"OtherProtocol", packet(0x10, connect_body(2, string("dev-01"), "AMQP")), "CONNACK 1"},
        Attack{"ProtocolWithNul", packet(0x10, connect_body(2, string("dev-01"), raw("MQ\0T"))), ""},
        Attack{"ReservedFlag", packet(0x10, connect_body(3, string("dev-01"))), ""},
        Attack{"WillFlagsWithoutWill", packet(0x10, connect_body(0x2a, string("dev-01"))), ""},
        Attack{"WillOfQos3", packet(0x10, connect_body(0x1e, string("dev-01") + string("a") + string("b"))), ""},
        Attack{"WillToAWildcard", packet(0x10, connect_body(0x06, string("dev-01") + string("#") + string("b"))), ""},
        Attack{"PasswordWithoutUser", packet(0x10, connect_body(0x42, string("dev-01") + string("x"))), ""},
        Attack{"MissingPassword", packet(0x10, connect_body(0xc2, string("dev-01") + string(user))), ""},
        Attack{"BytesBehindIt", packet(0x10, connect_body(2, string("dev-01") + "x")), ""},
        Attack{"EndsInsideTheClient", packet(0x10, connect_body(2, string("dev-01")).substr(0, 14)), ""},
        Attack{"ClientOfTooManyBytes", packet(0x10, connect_body(2, raw("\xff\xff") + "dev-01")), ""},
        Attack{"ClientNotUtf8", packet(0x10, connect_body(2, string("\xff\xfe"))), ""},
        Attack{"ClientWithSurrogate", packet(0x10, connect_body(2, string("\xed\xa0\x80"))), ""},
        Attack{"ClientWithNul", packet(0x10, connect_body(2, string(raw("dev\0")))), ""},
        Attack{"ConnectTwice", times(2, as("forged")), "CONNACK 5"}),
    attack_name);

INSTANTIATE_TEST_SUITE_P(
    Login, HubBadPacket,
    testing::Values(
        Attack{"Honest", honest, "CONNACK 0, open"}, Attack{"EmptyClient", login("", user, "device"), "CONNACK 2"},
        Attack{"LongClient", login(times(129, "a"), user, "device"), "CONNACK 2"},
        Attack{"ClientWithBlank", login("dev 01", user, "device"), "CONNACK 2"},
        Attack{"ClientWithLineBreak", login("dev-01\nERROR", user, "device"), "CONNACK 2"},
        Attack{"ClientWithEmptyModule", login("dev-01/", user, "device"), "CONNACK 2"},
        Attack{"ClientOfThreeParts", login("dev-01/a/b", user, "device"), "CONNACK 2"},
        Attack{"OtherClient", login("dev-02", user, "device"), "CONNACK 2"},
        Attack{"ClientInCapitals", login("DEV-01", user, "device"), "CONNACK 2"},
        Attack{"EmptyUser", login("dev-01", "", "device"), "CONNACK 4"},
        Attack{"UserWithoutDevice", login("dev-01", "localhost", "device"), "CONNACK 4"},
        Attack{"UserWithoutHost", login("dev-01", "/dev-01/", "device"), "CONNACK 4"},
        Attack{"UserOfAnother", login("dev-01", "localhost/dev-02/", "device"), "CONNACK 2"},
        Attack{"UserWithoutVersion", login("dev-01", "localhost/dev-01", "device"), "CONNACK 0, open"},
        Attack{"UserWithBadEncoding", login("dev-01", user + "&DeviceClientType=%zz%0a%00%ff", "device"),
               "CONNACK 0, open"},
        Attack{"UserWithEndlessFeatures",
               login("dev-01", user + "&DeviceClientType=(features=" + times(4'000, "x,") + ")", "device"),
               "CONNACK 0, open"},
        Attack{"ModuleThatIsNone", login("dev-01/m", "localhost/dev-01/m/", "module"), "CONNACK 5"},
        Attack{"NoUserAndNoPassword", packet(0x10, connect_body(2, string("dev-01"))), "CONNACK 4"},
        Attack{"NoPassword", packet(0x10, connect_body(0x82, string("dev-01") + string(user))), "CONNACK 5"},
        Attack{"EmptyPassword", as("none"), "CONNACK 5"}, Attack{"TextAsPassword", as("text"), "CONNACK 5"},
        Attack{"BearerAsPassword", as("bearer"), "CONNACK 5"},
        Attack{"TokenOfAnotherDevice", as("other device"), "CONNACK 5"},
        Attack{"ForgedToken", as("forged"), "CONNACK 5"}, Attack{"ExpiredToken", as("expired"), "CONNACK 5"},
        Attack{"RepeatedField", as("repeated field"), "CONNACK 5"},
        Attack{"ScopeOfALongerName", as("longer name"), "CONNACK 5"},
        Attack{"ScopeOfAShorterName", as("shorter name"), "CONNACK 5"},
        Attack{"ScopeOfAnotherHub", as("other hub"), "CONNACK 5"}, Attack{"ScopeOfAModule", as("module"), "CONNACK 5"},
        Attack{"OwnKeyForTheWholeHub", as("every device"), "CONNACK 0, open"},
        Attack{"PolicyOfServices", as("service policy"), "CONNACK 5"},
        Attack{"PolicyOfDevices", as("devices policy"), "CONNACK 0, open"},
        Attack{"PolicyForAnUnknownDevice", login("nobody", "localhost/nobody/", "devices policy"), "CONNACK 5"},
        Attack{"UnknownDevice", login("nobody", "localhost/nobody/", "device"), "CONNACK 5"},
        Attack{"DisabledDevice", login("dev-03", "localhost/dev-03/", "disabled"), "CONNACK 5"},
        Attack{"MoreBehindARefusal", as("forged") + subscribe("#") + packet(0xc0), "CONNACK 5"},
        Attack{"MoreBeforeTheAnswer", honest + subscribe("$iothub/streams/POST/#"), "CONNACK 0, SUBACK 7 (0), open"}),
    attack_name);

INSTANTIATE_TEST_SUITE_P(
    LoggedIn, HubBadPacket,
    testing::Values(
        Attack{"SecondConnect", honest + honest, "CONNACK 0"},
        Attack{"HalfAPacket", honest + raw("\x30\x7f\0\1{cut}"), "CONNACK 0"},
        Attack{"TypeZero", honest + packet(0x00), "CONNACK 0"},
        Attack{"TypeFifteen", honest + packet(0xf0), "CONNACK 0", "DS-602"},
        Attack{"ConnAck", honest + packet(0x20, raw("\0\0")), "CONNACK 0"},
        Attack{"SubAck", honest + packet(0x90, raw("\0\1\0")), "CONNACK 0"},
        Attack{"UnsubAck", honest + packet(0xb0, raw("\0\1")), "CONNACK 0"},
        Attack{"PingResp", honest + packet(0xd0), "CONNACK 0"},
        Attack{"PubRec", honest + packet(0x50, raw("\0\1")), "CONNACK 0"},
        Attack{"PubRel", honest + packet(0x62, raw("\0\1")), "CONNACK 0"},
        Attack{"PubComp", honest + packet(0x70, raw("\0\1")), "CONNACK 0"},
        Attack{"PubAckForNothing", honest + packet(0x40, raw("\0\1")), "CONNACK 0, open"},
        Attack{"PubAckOfIdZero", honest + packet(0x40, raw("\0\0")), "CONNACK 0"},
        Attack{"PingWithBody", honest + packet(0xc0, "x"), "CONNACK 0"},
        Attack{"PingWithFlags", honest + packet(0xc1), "CONNACK 0"},
        Attack{"DisconnectWithBody", honest + packet(0xe0, "x"), "CONNACK 0"},
        Attack{"LengthWithoutEnd", honest + raw("\x30\xff\xff\xff\xff\x01"), "CONNACK 0"},
        Attack{"LengthOfManyMegabytes", honest + raw("\x30\xff\xff\xff\x7f"), "CONNACK 0"},
        Attack{"LengthJustTooLong", honest + packet(0x30, string("a") + times(256 * 1024 - 6, "x")), "CONNACK 0"},
        Attack{"PublishQos2", honest + publish("a", 2), "CONNACK 0"},
        Attack{"PublishQos3", honest + packet(0x36, string("a") + raw("\0\1")), "CONNACK 0"},
        Attack{"PublishQos1WithIdZero", honest + packet(0x32, string("a") + raw("\0\0")), "CONNACK 0"},
        Attack{"PublishDuplicateOfQos0", honest + packet(0x38, string("a")), "CONNACK 0"},
        Attack{"PublishWithoutTopic", honest + packet(0x30), "CONNACK 0"},
        Attack{"PublishEmptyTopic", honest + packet(0x30, string("")), "CONNACK 0"},
        Attack{"PublishToWildcard", honest + packet(0x30, string("a/#")), "CONNACK 0"},
        Attack{"PublishTopicNotUtf8", honest + packet(0x30, string("\xc3")), "CONNACK 0"},
        Attack{"PublishTopicWithNul", honest + packet(0x30, string(raw("a\0"))), "CONNACK 0"},
        Attack{"PublishTopicLongerThanItself", honest + packet(0x30, raw("\0\x09") + "short"), "CONNACK 0"},
        Attack{"PublishElsewhere", honest + publish("devices/dev-01/messages/events/", 1), "CONNACK 0, PUBACK 7, open"},
        Attack{"PublishForAnother", honest + publish("devices/dev-02/messages/events/", 1),
               "CONNACK 0, PUBACK 7, open"},
        Attack{"RequestOfItsOwn", honest + publish("$iothub/streams/POST/x/?$rid=1&$url=a&$auth=b"), "CONNACK 0, open"},
        Attack{"AnswerToNothing", honest + publish("$iothub/streams/res/200/?$rid=1"), "CONNACK 0, open"},
        Attack{"AnswerWithoutStatus", honest + publish("$iothub/streams/res//?$rid=1"), "CONNACK 0, open"},
        Attack{"AnswerOfOddStatus", honest + publish("$iothub/streams/res/-20/?$rid=1"), "CONNACK 0, open"},
        Attack{"AnswerWithoutId", honest + publish("$iothub/streams/res/200/?$rid="), "CONNACK 0, open"},
        Attack{"AnswerOfLongId", honest + publish("$iothub/streams/res/200/?$rid=" + times(60'000, "1")),
               "CONNACK 0, open"},
        Attack{"AnswersWithoutEnd", honest + times(1'000, publish("$iothub/streams/res/200/?$rid=1", 1)),
               "CONNACK 0, 1000 PUBACK 7, open"},
        Attack{"SubscribeWithFlags", honest + packet(0x80, raw("\0\1") + string("a") + raw("\0")), "CONNACK 0"},
        Attack{"SubscribeToNothing", honest + packet(0x82, raw("\0\1")), "CONNACK 0"},
        Attack{"SubscribeIdZero", honest + packet(0x82, raw("\0\0") + string("a") + raw("\0")), "CONNACK 0"},
        Attack{"SubscribeQos3", honest + packet(0x82, raw("\0\1") + string("a") + raw("\3")), "CONNACK 0"},
        Attack{"SubscribeWithoutQos", honest + packet(0x82, raw("\0\1") + string("a")), "CONNACK 0"},
        Attack{"SubscribeEmptyFilter", honest + packet(0x82, raw("\0\1") + string("") + raw("\0")), "CONNACK 0"},
        Attack{"SubscribeHashInside", honest + packet(0x82, raw("\0\1") + string("#/a") + raw("\0")), "CONNACK 0"},
        Attack{"SubscribePlusInAWord", honest + packet(0x82, raw("\0\1") + string("a+") + raw("\0")), "CONNACK 0"},
        Attack{"SubscribeQos2", honest + subscribe("a", 2), "CONNACK 0, SUBACK 7 (1), open"},
        Attack{"SubscribeToAll", honest + subscribe("#"), "CONNACK 0, SUBACK 7 (0), open"},
        Attack{"SubscribeForAnother", honest + subscribe("devices/dev-02/#"), "CONNACK 0, SUBACK 7 (0), open"},
        Attack{"SubscribeAgainAndAgain", honest + times(20, subscribe("$iothub/streams/POST/#")),
               "CONNACK 0, 20 SUBACK 7 (0), open"},
        Attack{"SubscribeToThousands", honest + packet(0x82, raw("\0\1") + times(3'000, string("a") + raw("\0"))),
               "CONNACK 0, SUBACK 1 (16 0, 2984 128), open"},
        Attack{"UnsubscribeFromNothing", honest + packet(0xa2, raw("\0\1")), "CONNACK 0"},
        Attack{"UnsubscribeUnknown", honest + packet(0xa2, raw("\0\1") + string("never")),
               "CONNACK 0, UNSUBACK 1, open"},
        Attack{"UnsubscribeWithFlags", honest + packet(0xa0, raw("\0\1") + string("a")), "CONNACK 0"},
        Attack{"PingsWithoutEnd", honest + times(2'000, packet(0xc0)), "CONNACK 0, 2000 PINGRESP, open"}),
    attack_name);

// Who left with DISCONNECT is not heard any more, and gets no fault either.
TEST_F(HubUnderAttack, PacketsBehindDisconnectAreNotHeard) {
    const auto connect = honest_connect(std::string(words.at("device").reveal()));
    const auto text = connect + packet(0xe0) + packet(0xc0) + packet(0xf0);
    EXPECT_EQ(test::mqtt_transcript(answer_to(text, address.mqtt_port)), "CONNACK 0");
    EXPECT_TRUE(eventually_logged("the device disconnected")) << whole_log();
    EXPECT_FALSE(logged("DS-6")) << whole_log();
}

}  // namespace
}  // namespace device_streams::hub::bad_packets_test
