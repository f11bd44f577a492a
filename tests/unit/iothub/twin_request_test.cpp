#include "common/iothub/twin_request.hpp"

#include <gtest/gtest.h>

namespace device_streams::iothub {
namespace {

TEST(TwinRequest, BothKindsAreRead) {
    EXPECT_EQ(parse_twin_request("$iothub/twin/GET/?$rid=1"), "1");
    EXPECT_EQ(parse_twin_request("$iothub/twin/PATCH/properties/reported/?$rid=4d3c-9"), "4d3c-9");
}

TEST(TwinRequest, OtherPairsAreIgnored) {
    EXPECT_EQ(parse_twin_request("$iothub/twin/PATCH/properties/reported/?$version=3&$rid=7&x"), "7");
}

TEST(TwinRequest, OtherTopicsAreNone) {
    for (const char* topic :
         {"$iothub/twin/GET/", "$iothub/twin/GET/?", "$iothub/twin/GET/?rid=1", "$iothub/twin/GET/x/?$rid=1",
          "$iothub/twin/PATCH/properties/desired/?$rid=1", "$iothub/twin/res/200/?$rid=1", "twin/GET/?$rid=1"})
        EXPECT_EQ(parse_twin_request(topic), std::nullopt) << topic;
}

TEST(TwinRequest, IdThatCannotComeBackIsNone) {
    for (const std::string id : {"", "a/b", "a+b", "#", "a b", "\x7f", "\xc3\xa4"})
        EXPECT_EQ(parse_twin_request("$iothub/twin/GET/?$rid=" + id), std::nullopt) << id;
    EXPECT_TRUE(parse_twin_request("$iothub/twin/GET/?$rid=" + std::string(128, 'a')));
    EXPECT_FALSE(parse_twin_request("$iothub/twin/GET/?$rid=" + std::string(129, 'a')));
}

TEST(TwinRequest, AnswerHasStatusAndId) {
    EXPECT_EQ(twin_answer_topic(501, "4d3c-9"), "$iothub/twin/res/501/?$rid=4d3c-9");
}

TEST(TwinRequest, ErrorHasTheMembersThatSdksLookAt) {
    EXPECT_EQ(twin_error(501000, "no \"twins\""), R"({"errorCode":501000,"message":"no \"twins\""})");
}

}  // namespace
}  // namespace device_streams::iothub
