#include "common/mqtt/codec.hpp"
#include "tests/unit/mqtt/hex.hpp"

#include <gtest/gtest.h>

namespace device_streams::mqtt {
namespace {

constexpr const char* connect_start = "00044d51545404";  // protocol name and level

// Feeds all bytes at once and gives the first packet.
std::optional<Packet> decode(const std::string& hex) {
    Decoder decoder;
    decoder.feed(bytes_of(hex));
    return decoder.next();
}

// A packet with the right length put before `body`.
std::string framed(const std::string& first, const std::string& body) {
    const auto size = bytes_of(body).size();
    return first + hex_of({static_cast<std::byte>(size)}) + body;
}

TEST(MqttDecoder, GivesNothingBeforeThePacketIsWhole) {
    const auto bytes = encode(Subscribe{.packet_id = 2, .subscriptions = {{.filter = "a/#", .qos = 1}}});
    Decoder decoder;
    EXPECT_FALSE(decoder.next());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        EXPECT_FALSE(decoder.next()) << i;
        EXPECT_EQ(decoder.buffered(), i);
        decoder.feed({&bytes[i], 1});
    }
    EXPECT_TRUE(decoder.next());
    EXPECT_EQ(decoder.buffered(), 0U);
}

TEST(MqttDecoder, KnowsAClientOfAmqp) {
    for (const char* header : {"414d515000010000", "414d515003010000"}) EXPECT_THROW(decode(header), AmqpInstead);
    EXPECT_THROW(decode("414d515020"), ProtocolError);
}

TEST(MqttDecoder, GivesTheSamePacketsHoweverTheyAreCut) {
    std::vector<std::byte> stream;
    Publish large;
    large.topic = "t";
    large.payload.resize(300, std::byte{7});
    for (const auto& packet :
         {Packet(PingReq{}), Packet(large), Packet(PubAck{.packet_id = 9}), Packet(Disconnect{})}) {
        const auto bytes = encode(packet);
        stream.insert(stream.end(), bytes.begin(), bytes.end());
    }
    for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
        Decoder decoder;
        std::vector<Packet> packets;
        for (std::size_t at = 0; at < stream.size(); at += piece) {
            decoder.feed(std::span(stream).subspan(at, std::min(piece, stream.size() - at)));
            while (auto packet = decoder.next()) packets.push_back(std::move(*packet));
        }
        ASSERT_EQ(packets.size(), 4U) << piece;
        EXPECT_TRUE(packets[0] == Packet(PingReq{}));
        EXPECT_TRUE(packets[1] == Packet(large));
        EXPECT_TRUE(packets[2] == Packet(PubAck{.packet_id = 9}));
        EXPECT_TRUE(packets[3] == Packet(Disconnect{}));
    }
}

TEST(MqttDecoder, KeepsAnUnfinishedPacketBehindAFinishedOne) {
    Decoder decoder;
    decoder.feed(bytes_of("c000 4002"));
    EXPECT_TRUE(decoder.next());
    EXPECT_FALSE(decoder.next());
    EXPECT_EQ(decoder.buffered(), 2U);
    decoder.feed(bytes_of("0007"));
    EXPECT_TRUE(*decoder.next() == Packet(PubAck{.packet_id = 7}));
}

TEST(MqttDecoder, TakesALengthWrittenWithMoreBytesThanNeeded) {
    EXPECT_TRUE(decode("c08000"));
    EXPECT_TRUE(decode("c0808000"));
}

TEST(MqttDecoder, TakesAPacketOfExactlyTheLimit) {
    Publish publish;
    publish.topic = "t";
    publish.payload.resize(95);
    const auto bytes = encode(publish);
    ASSERT_EQ(bytes.size(), 100U);
    Decoder decoder(100);
    decoder.feed(bytes);
    EXPECT_TRUE(decoder.next());
    decoder.set_packet_limit(99);
    decoder.feed(bytes);
    EXPECT_THROW(decoder.next(), ProtocolError);
}

TEST(MqttDecoder, RefusesAnOversizePacketByItsLengthAlone) {
    Decoder decoder(1000);
    decoder.feed(bytes_of("30ffffff7f"));
    EXPECT_THROW(decoder.next(), ProtocolError);
}

TEST(MqttDecoder, RefusesAgainAfterAFault) {
    Decoder decoder;
    decoder.feed(bytes_of("00"));
    EXPECT_THROW(decoder.next(), ProtocolError);
    decoder.feed(bytes_of("c000"));
    EXPECT_THROW(decoder.next(), ProtocolError);
}

TEST(MqttDecoder, RefusesGarbageAtItsFirstByte) {
    for (const auto* first : {"00", "0f", "f0", "ff", "11", "16", "80", "81", "83", "60", "a0", "c1", "e8", "21", "47"})
        EXPECT_THROW(decode(first), ProtocolError) << first;
}

TEST(MqttDecoder, RefusesFaultyLengths) {
    EXPECT_THROW(decode("30ffffffff"), ProtocolError);
    EXPECT_THROW(decode("3080808080"), ProtocolError);
    EXPECT_FALSE(decode("30ffff"));
}

TEST(MqttDecoder, GivesOnlyNameAndLevelOfOtherProtocols) {
    for (const auto& [hex, name, level] : {std::tuple{"00044d5154540500003c05110000000a0001", "MQTT", 5},
                                           {"00044d51545403", "MQTT", 3},
                                           {"0006 4d5149736470 04 ff", "MQIsdp", 4},
                                           {"0003 616263 00", "abc", 0}}) {
        const auto packet = decode(framed("10", hex));
        ASSERT_TRUE(packet) << hex;
        const auto* const connect = std::get_if<Connect>(&*packet);
        ASSERT_TRUE(connect);
        EXPECT_EQ(connect->protocol_name, name);
        EXPECT_EQ(connect->protocol_level, level);
        EXPECT_EQ(connect->client_id, "");
    }
}

TEST(MqttDecoder, ReadsAllOfMqtt31) {
    const auto packet = decode(framed("10", "0006 4d5149736470 03 02 000a 0001 64"));
    ASSERT_TRUE(packet);
    EXPECT_EQ(std::get<Connect>(*packet).client_id, "d");
    EXPECT_TRUE(std::get<Connect>(*packet).clean_session);
}

TEST(MqttDecoder, LetsPasswordsBeAnyBytes) {
    const auto packet = decode(framed("10", std::string(connect_start) + "c0 0000 0000 0001 75 0003 00ff80"));
    ASSERT_TRUE(packet);
    EXPECT_EQ(std::get<Connect>(*packet).password->reveal(), std::string_view("\0\xff\x80", 3));
}

TEST(MqttDecoder, ErrorsNeverQuoteThePacket) {
    try {
        decode(framed("10", std::string(connect_start) + "c0 0000 0000 0001 75 0006 736563726574 00"));
        ADD_FAILURE();
    } catch (const ProtocolError& error) {
        EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
    }
}

struct Malformed {
    std::string what;
    std::string first;
    std::string body;
};
class MalformedPacket : public testing::TestWithParam<Malformed> {};

TEST_P(MalformedPacket, IsRefused) {
    EXPECT_THROW(decode(framed(GetParam().first, GetParam().body)), ProtocolError);
}

const std::string c = connect_start;
INSTANTIATE_TEST_SUITE_P(
    All, MalformedPacket,
    testing::Values(Malformed{"ConnectEmpty", "10", ""}, Malformed{"ConnectCut", "10", c + "00 0000"},
                    Malformed{"ConnectStringCut", "10", c + "00 0000 0002 64"},
                    Malformed{"ConnectReservedFlag", "10", c + "01 0000 0001 64"},
                    Malformed{"ConnectWillQosWithoutWill", "10", c + "08 0000 0001 64"},
                    Malformed{"ConnectWillRetainWithoutWill", "10", c + "20 0000 0001 64"},
                    Malformed{"ConnectWillQos3", "10", c + "1c 0000 0001 64 0001 77 0000"},
                    Malformed{"ConnectWillWildcard", "10", c + "04 0000 0001 64 0001 23 0000"},
                    Malformed{"ConnectPasswordWithoutUser", "10", c + "40 0000 0001 64 0001 70"},
                    Malformed{"ConnectUserMissing", "10", c + "80 0000 0001 64"},
                    Malformed{"ConnectTrailing", "10", c + "00 0000 0001 64 00"},
                    Malformed{"ConnectNulInId", "10", c + "00 0000 0001 00"},
                    Malformed{"ConnectBadUtf8Id", "10", c + "00 0000 0001 ff"},
                    Malformed{"ConnectBadUtf8User", "10", c + "80 0000 0001 64 0002 c328"},
                    Malformed{"ConnAckCut", "20", "00"}, Malformed{"ConnAckLong", "20", "000000"},
                    Malformed{"ConnAckFlags", "20", "0200"}, Malformed{"PublishEmpty", "30", ""},
                    Malformed{"PublishEmptyTopic", "30", "0000"}, Malformed{"PublishTopicCut", "30", "0002 61"},
                    Malformed{"PublishPlus", "30", "0003 612f2b"}, Malformed{"PublishHash", "30", "0001 23"},
                    Malformed{"PublishNul", "30", "0002 6100"}, Malformed{"PublishSurrogate", "30", "0003 eda080"},
                    Malformed{"PublishOverlong", "30", "0002 c080"}, Malformed{"PublishQos3", "36", "0001 61 0001"},
                    Malformed{"PublishQos0Duplicate", "38", "0001 61"}, Malformed{"PublishIdMissing", "32", "0001 61"},
                    Malformed{"PublishId0", "32", "0001 61 0000"}, Malformed{"PubAckEmpty", "40", ""},
                    Malformed{"PubAckId0", "40", "0000"}, Malformed{"PubAckLong", "40", "000100"},
                    Malformed{"PubRecId0", "50", "0000"}, Malformed{"PubRelCut", "62", "01"},
                    Malformed{"PubCompLong", "70", "000100"}, Malformed{"SubscribeEmpty", "82", ""},
                    Malformed{"SubscribeNoFilter", "82", "0001"}, Malformed{"SubscribeId0", "82", "0000 0001 61 00"},
                    Malformed{"SubscribeQosMissing", "82", "0001 0001 61"},
                    Malformed{"SubscribeQos3", "82", "0001 0001 61 03"},
                    Malformed{"SubscribeReservedQosBits", "82", "0001 0001 61 04"},
                    Malformed{"SubscribeEmptyFilter", "82", "0001 0000 00"},
                    Malformed{"SubscribeBadFilter", "82", "0001 0002 6123 00"},
                    Malformed{"SubscribeSecondCut", "82", "0001 0001 61 00 0001"},
                    Malformed{"SubAckEmpty", "90", "0001"}, Malformed{"SubAckCode", "90", "0001 03"},
                    Malformed{"SubAckId0", "90", "0000 00"}, Malformed{"UnsubscribeNoFilter", "a2", "0001"},
                    Malformed{"UnsubscribeId0", "a2", "0000 0001 61"},
                    Malformed{"UnsubscribeCut", "a2", "0001 0002 61"}, Malformed{"UnsubAckCut", "b0", "00"},
                    Malformed{"PingReqLong", "c0", "00"}, Malformed{"PingRespLong", "d0", "00"},
                    Malformed{"DisconnectLong", "e0", "00"}),
    [](const auto& test) { return test.param.what; });

}  // namespace
}  // namespace device_streams::mqtt
