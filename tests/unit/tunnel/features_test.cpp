#include "common/tunnel/features.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

TEST(Features, ListsParseAndUnknownNamesAreIgnored) {
    EXPECT_EQ(parse_features("half-close, big-frames,levitation,pings"), own_features);
    EXPECT_EQ(parse_features("big-frames"), (Features{.half_close = false, .big_frames = true}));
    EXPECT_EQ(parse_features("none"), Features{});
    EXPECT_EQ(parse_features(""), Features{});
}

TEST(Features, ListsAreWrittenAsTheyAreRead) {
    EXPECT_EQ(to_string(own_features), "half-close,big-frames,pings");
    EXPECT_EQ(to_string(device_hop_features), "half-close,big-frames,pings,policy");
    EXPECT_EQ(parse_features("policy"), Features{.policy = true});
    EXPECT_EQ(to_string(Features{}), "none");
    EXPECT_EQ(to_string(Features{.half_close = false, .big_frames = true}), "big-frames");
}

TEST(Features, OnlyCommonOnesCount) {
    EXPECT_EQ(common_features(own_features, {.half_close = true, .big_frames = false}),
              (Features{.half_close = true, .big_frames = false}));
}

TEST(Features, AnnouncementSurvivesTheFreeText) {
    bool announced = false;
    EXPECT_EQ(parse_announcement(announce_features("device-proxy/1.0", own_features), announced), own_features);
    EXPECT_TRUE(announced);
}

TEST(Features, ForeignClientTypesAnnounceNothing) {
    bool announced = true;
    EXPECT_EQ(parse_announcement("iothubclient/1.6.0 (native; Linux; x86_64)", announced), Features{});
    EXPECT_FALSE(announced);
}

}  // namespace
}  // namespace device_streams
