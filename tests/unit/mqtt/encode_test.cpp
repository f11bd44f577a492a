#include "common/mqtt/codec.hpp"
#include "tests/unit/mqtt/hex.hpp"

#include <gtest/gtest.h>

namespace device_streams::mqtt {
namespace {

Connect full_connect() {
    Connect connect;
    connect.clean_session = true;
    connect.keep_alive = 60;
    connect.client_id = "d";
    connect.will = Will{.topic = "w", .payload = bytes_of("00ff"), .qos = 2, .retain = true};
    connect.user_name = "u";
    connect.password = Secret("p");
    return connect;
}

Publish full_publish() {
    Publish publish;
    publish.topic = "a/b";
    publish.qos = 2;
    publish.retain = true;
    publish.duplicate = true;
    publish.packet_id = 0x1234;
    publish.payload = bytes_of("00017fff");
    return publish;
}

TEST(MqttEncode, SetsEveryFlagOfConnect) {
    EXPECT_EQ(hex_of(encode(full_connect())), "101a00044d51545404f6003c000164000177000200ff000175000170");
}

TEST(MqttEncode, SetsEveryFlagOfPublish) {
    EXPECT_EQ(hex_of(encode(full_publish())), "3d0b0003612f62123400017fff");
}

TEST(MqttEncode, WritesTheSmallPackets) {
    EXPECT_EQ(hex_of(encode(PubAck{.packet_id = 1})), "40020001");
    EXPECT_EQ(hex_of(encode(PubRec{.packet_id = 1})), "50020001");
    EXPECT_EQ(hex_of(encode(PubRel{.packet_id = 1})), "62020001");
    EXPECT_EQ(hex_of(encode(PubComp{.packet_id = 1})), "70020001");
    EXPECT_EQ(hex_of(encode(Unsubscribe{.packet_id = 1, .filters = {"a"}})), "a2050001000161");
    EXPECT_EQ(hex_of(encode(UnsubAck{.packet_id = 1})), "b0020001");
    EXPECT_EQ(hex_of(encode(PingReq{})), "c000");
    EXPECT_EQ(hex_of(encode(PingResp{})), "d000");
    EXPECT_EQ(hex_of(encode(Disconnect{})), "e000");
}

TEST(MqttEncode, IsUndoneByTheDecoder) {
    const std::vector<Packet> packets{
        full_connect(),
        Connect{},
        ConnAck{.session_present = true, .code = 0},
        full_publish(),
        PubAck{.packet_id = 65535},
        PubRec{.packet_id = 2},
        PubRel{.packet_id = 3},
        PubComp{.packet_id = 4},
        Subscribe{.packet_id = 5, .subscriptions = {{.filter = "#", .qos = 2}, {.filter = "+/a", .qos = 1}}},
        SubAck{.packet_id = 6, .codes = {0, 1, 2, 0x80}},
        Unsubscribe{.packet_id = 7, .filters = {"a", "b/#"}},
        UnsubAck{.packet_id = 8},
        PingReq{},
        PingResp{},
        Disconnect{}};
    Decoder decoder;
    for (const auto& packet : packets) decoder.feed(encode(packet));
    for (const auto& packet : packets) {
        const auto decoded = decoder.next();
        ASSERT_TRUE(decoded);
        EXPECT_TRUE(*decoded == packet) << hex_of(encode(packet));
    }
    EXPECT_FALSE(decoder.next());
}

TEST(MqttEncode, WritesLengthsInTheFewestBytes) {
    const auto start = [](std::size_t body) {
        Publish publish;
        publish.topic = "t";
        publish.payload.resize(body - 3);
        return hex_of(encode(publish)).substr(0, 12);
    };
    EXPECT_TRUE(start(127).starts_with("307f0001"));
    EXPECT_TRUE(start(128).starts_with("3080010001"));
    EXPECT_TRUE(start(16'383).starts_with("30ff7f0001"));
    EXPECT_TRUE(start(16'384).starts_with("308080010001"));
}

TEST(MqttEncode, RefusesStringsThatDoNotFit) {
    Publish publish;
    publish.topic = std::string(65'535, 't');
    EXPECT_NO_THROW(encode(publish));
    publish.topic += 't';
    EXPECT_THROW(encode(publish), std::length_error);
    auto connect = full_connect();
    connect.password = Secret(std::string(65'536, 'p'));
    EXPECT_THROW(encode(connect), std::length_error);
    connect = full_connect();
    connect.will->payload.resize(65'536);
    EXPECT_THROW(encode(connect), std::length_error);
}

TEST(MqttEncode, RefusesPacketsThatDoNotFit) {
    Publish publish;
    publish.topic = "t";
    publish.payload.resize(268'435'456 - 3);
    EXPECT_THROW(encode(publish), std::length_error);
}

}  // namespace
}  // namespace device_streams::mqtt
