#include "common/mqtt/codec.hpp"

#include <gtest/gtest.h>

namespace device_streams::mqtt {
namespace {

TEST(TopicMatches, LevelByLevel) {
    EXPECT_TRUE(topic_matches("a/b/c", "a/b/c"));
    EXPECT_FALSE(topic_matches("a/b/c", "a/b"));
    EXPECT_FALSE(topic_matches("a/b", "a/b/c"));
    EXPECT_FALSE(topic_matches("a/b", "a/bc"));
    EXPECT_FALSE(topic_matches("A", "a"));
    EXPECT_FALSE(topic_matches("a", "/a"));
    EXPECT_FALSE(topic_matches("a", "a/"));
}

// The examples of MQTT section 4.7.1.
TEST(TopicMatches, HashAnyNumberOfLevelsAndTheParent) {
    for (const auto* topic : {"sport", "sport/tennis", "sport/tennis/player1", "sport/"})
        EXPECT_TRUE(topic_matches("sport/#", topic)) << topic;
    EXPECT_FALSE(topic_matches("sport/#", "sports"));
    EXPECT_TRUE(topic_matches("#", "a/b"));
}

TEST(TopicMatches, PlusExactlyOneLevel) {
    EXPECT_TRUE(topic_matches("sport/tennis/+", "sport/tennis/player1"));
    EXPECT_FALSE(topic_matches("sport/tennis/+", "sport/tennis/player1/ranking"));
    EXPECT_FALSE(topic_matches("sport/+", "sport"));
    EXPECT_TRUE(topic_matches("sport/+", "sport/"));
    EXPECT_TRUE(topic_matches("+/+", "/finance"));
    EXPECT_TRUE(topic_matches("/+", "/finance"));
    EXPECT_FALSE(topic_matches("+", "/finance"));
    EXPECT_TRUE(topic_matches("+/b/#", "a/b/c/d"));
}

TEST(TopicMatches, SystemTopicsOnlyByName) {
    EXPECT_FALSE(topic_matches("#", "$iothub/streams/POST/x"));
    EXPECT_FALSE(topic_matches("+/streams/POST/x", "$iothub/streams/POST/x"));
    EXPECT_TRUE(topic_matches("$iothub/#", "$iothub/streams/POST/x"));
    EXPECT_TRUE(topic_matches("$iothub/streams/POST/#", "$iothub/streams/POST/ssh-1/?$rid=1"));
    EXPECT_FALSE(topic_matches("$iothub/streams/POST/#", "$iothub/streams/res/200/?$rid=1"));
}

TEST(Filter, HasWildcardsOnlyAsWholeLevels) {
    for (const auto* filter : {"#", "+", "a", "/", "a/#", "+/+/#", "/+", "a//b", "$iothub/twin/res/#"})
        EXPECT_TRUE(is_valid_filter(filter)) << filter;
    for (const auto* filter : {"", "a#", "#/a", "a/#/b", "a+", "+a", "a/+b/c", "##", "++", "#/"})
        EXPECT_FALSE(is_valid_filter(filter)) << filter;
}

TEST(LoggableTopic, EndsBeforeTheToken) {
    EXPECT_EQ(loggable_topic("$iothub/streams/POST/ssh-1/?$rid=1&$url=u&$auth=secret"), "$iothub/streams/POST/ssh-1/");
    EXPECT_EQ(loggable_topic("$iothub/streams/POST/?a?b"), "$iothub/streams/POST/");
    EXPECT_EQ(loggable_topic("devices/d/messages/events/"), "devices/d/messages/events/");
    EXPECT_EQ(loggable_topic("?secret"), "");
    EXPECT_EQ(loggable_topic(""), "");
}

}  // namespace
}  // namespace device_streams::mqtt
