// The packets of docs/protocol.md 13.2, byte for byte, both ways.
#include "common/iothub/sas_token.hpp"
#include "common/iothub/stream_request.hpp"
#include "common/mqtt/codec.hpp"
#include "tests/unit/iothub/test_keys.hpp"
#include "tests/unit/mqtt/hex.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>

namespace device_streams::mqtt {
namespace {

void expect_both_ways(const Packet& packet, const std::string& hex) {
    EXPECT_EQ(hex_of(encode(packet)), hex);
    Decoder decoder;
    decoder.feed(bytes_of(hex));
    const auto decoded = decoder.next();
    ASSERT_TRUE(decoded);
    EXPECT_TRUE(*decoded == packet);
    EXPECT_EQ(decoder.buffered(), 0U);
}

std::string user_name(const std::string& device, const std::string& module = {}) {
    return iothub::mqtt_user_name({.host = "hub1.iot.example",
                                   .target = {.device_id = device, .module_id = module},
                                   .api_version = "2020-09-30",
                                   .client_type = {}});
}

Publish publish(std::string topic) {
    Publish packet;
    packet.topic = std::move(topic);
    return packet;
}

TEST(MqttVectors, ConnectWithSas) {
    Connect connect;
    connect.keep_alive = 300;
    connect.client_id = "dev-01";
    connect.user_name = user_name("dev-01");
    connect.password = iothub::make_sas_token(iothub::device_resource("hub1.iot.example", "dev-01"),
                                              iothub::vectors::device_key, iothub::vectors::expiry);
    expect_both_ways(
        connect,
        "10c60100044d51545404c0012c00066465762d3031002f687562312e696f742e6578616d706c652f6465762d30312f3f61"
        "70692d76657273696f6e3d323032302d30392d333000815368617265644163636573735369676e61747572652073723d"
        "687562312e696f742e6578616d706c65253246646576696365732532466465762d3031267369673d5325324676586439"
        "7451566e3368304641464e594c55497454513934564a536e75572532425a567261765341466e632533442673653d3138"
        "3933343536303030");
    EXPECT_EQ(encode(connect).size(), 201U);
}

TEST(MqttVectors, ConnectOfAModuleWithX509) {
    Connect connect;
    connect.keep_alive = 240;
    connect.client_id = "dev-01/tunnel";
    connect.user_name = user_name("dev-01", "tunnel");
    expect_both_ways(
        connect,
        "105100044d515454048000f0000d6465762d30312f74756e6e656c0036687562312e696f742e6578616d706c652f646576"
        "2d30312f74756e6e656c2f3f6170692d76657273696f6e3d323032302d30392d3330");
    EXPECT_EQ(encode(connect).size(), 83U);
}

TEST(MqttVectors, ConnAck) {
    expect_both_ways(ConnAck{}, "20020000");
    expect_both_ways(ConnAck{.session_present = true, .code = 0}, "20020100");
    expect_both_ways(ConnAck{.session_present = false, .code = 5}, "20020005");
}

TEST(MqttVectors, SubscribeOfTheCSdk) {
    expect_both_ways(
        Subscribe{.packet_id = 2,
                  .subscriptions = {{.filter = std::string(iothub::request_filter), .qos = 0},
                                    {.filter = std::string(iothub::answer_filter), .qos = 0}}},
        "82330002001624696f746875622f73747265616d732f504f53542f2300001524696f746875622f73747265616d732f7265"
        "732f2300");
    expect_both_ways(SubAck{.packet_id = 2, .codes = {0, 0}}, "900400020000");
}

TEST(MqttVectors, Answers) {
    expect_both_ways(publish(iothub::answer_topic({.status = 200, .request_id = "1"})),
                     "3021001f24696f746875622f73747265616d732f7265732f3230302f3f247269643d31");
    expect_both_ways(publish(iothub::answer_topic({.status = 400, .request_id = "1"})),
                     "3021001f24696f746875622f73747265616d732f7265732f3430302f3f247269643d31");
}

TEST(MqttVectors, StreamRequest) {
    const iothub::BridgePath path{.hub = "hub1",
                                  .target = {.device_id = "dev-01", .module_id = {}},
                                  .stream_id = "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
                                  .role = "device"};
    const auto packet =
        encode(publish(iothub::request_topic({.name = "ssh-1",
                                              .request_id = "1",
                                              .url = "wss://streams.iot.example:443" + iothub::bridge_path(path),
                                              .token = Secret(iothub::vectors::device_stream_token),
                                              .features = {}})));
    EXPECT_EQ(packet.size(), 449U);
    EXPECT_TRUE(hex_of(packet).starts_with("30be0301bc24696f74"));

    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    ASSERT_EQ(EVP_Digest(packet.data(), packet.size(), digest.data(), &size, EVP_sha256(), nullptr), 1);
    const auto* const start = reinterpret_cast<const std::byte*>(digest.data());
    EXPECT_EQ(hex_of({start, start + size}), "204396848513cf0f1b79917ce5a7afc9da13cfbaa1e81082b02f92e3b4a0ec55");
}

}  // namespace
}  // namespace device_streams::mqtt
