#include "common/iothub/takeover.hpp"

#include <gtest/gtest.h>

namespace device_streams::iothub {
namespace {

TEST(TakeoverTopic, NamesTheAddressOfTheOtherMachine) {
    EXPECT_EQ(takeover_topic("192.0.2.7"), "$iothub/streams/takeover/?$by=192.0.2.7");
    EXPECT_EQ(takeover_topic("2001:db8::7"), "$iothub/streams/takeover/?$by=2001:db8::7");
    EXPECT_EQ(takeover_topic(""), "$iothub/streams/takeover/");
    for (const auto* address : {"192.0.2.7", "2001:db8::7", ""})
        EXPECT_EQ(parse_takeover_topic(takeover_topic(address)), address);
}

TEST(TakeoverTopic, HoldsNothingButAnAddress) {
    for (const auto* text : {"hub.example", "192.0.2", "fe80::1%eth0", "192.0.2.7:443", "\x1b[2J", "192.0.2.7\n"}) {
        EXPECT_EQ(takeover_topic(text), "$iothub/streams/takeover/") << text;
        EXPECT_EQ(parse_takeover_topic(std::string("$iothub/streams/takeover/?$by=") + text), "") << text;
    }
    EXPECT_EQ(parse_takeover_topic("$iothub/streams/takeover/?$by=192.0.2.7&$more=1"), "192.0.2.7");
}

TEST(TakeoverTopic, IsNoOther) {
    for (const auto* topic :
         {"", "$iothub/streams/takeover", "$iothub/streams/takeover/x", "$iothub/streams/takeover/?",
          "$iothub/streams/POST/takeover/?$rid=1", "/$iothub/streams/takeover/"})
        EXPECT_FALSE(parse_takeover_topic(topic)) << topic;
}

}  // namespace
}  // namespace device_streams::iothub
