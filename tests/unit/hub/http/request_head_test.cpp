#include "hub/http/connection_handler.hpp"
#include "hub/http/stream_messages.hpp"

#include <gtest/gtest.h>

namespace device_streams::hub {
namespace {

using namespace std::chrono_literals;

TEST(TimeoutHeaderTest, WholeAndDecimalSecondsAreTaken) {
    EXPECT_EQ(parse_timeout("30"), 30s);
    EXPECT_EQ(parse_timeout("0"), 0s);
    EXPECT_EQ(parse_timeout("2.5"), 2500ms);
    EXPECT_EQ(parse_timeout("60.0"), 60s);
}

TEST(TimeoutHeaderTest, HugeValuesAreCutInsteadOfOverflowing) {
    EXPECT_EQ(parse_timeout(std::string(300, '9')), std::chrono::hours(24 * 365));
}

TEST(TimeoutHeaderTest, EverythingElseIsRefused) {
    for (const char* text : {"", "soon", "-1", "-0", "+1", "1s", " 1", "1 ", "1,5", "nan", "inf", "1e3", "0x10"})
        EXPECT_EQ(parse_timeout(text), std::nullopt) << text;
}

std::string offered(const std::string& header) {
    http::Request request;
    if (!header.empty()) request.headers.add("Sec-WebSocket-Protocol", header);
    return offered_mqtt(request);
}

TEST(OfferedMqttTest, SpellingOfTheClientIsKept) {
    EXPECT_EQ(offered("mqtt"), "mqtt");
    EXPECT_EQ(offered("MQTT"), "MQTT");
    EXPECT_EQ(offered("mqttv3.1, Mqtt ,chat"), "Mqtt");
}

TEST(OfferedMqttTest, OtherSubprotocolsAreNoOffer) {
    for (const char* header : {"", "AMQPWSB10", "mqttv3.1", ",", "mqtt5,"}) EXPECT_EQ(offered(header), "") << header;
}

}  // namespace
}  // namespace device_streams::hub
