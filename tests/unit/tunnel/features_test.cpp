#include "common/tunnel/features.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

TEST(Features, ListsParseAndUnknownNamesAreIgnored) {
    EXPECT_EQ(parse_features("half-close, big-frames,levitation,pings,reasons"), own_features);
    EXPECT_EQ(parse_features("big-frames"), (Features{.half_close = false, .big_frames = true}));
    EXPECT_EQ(parse_features("none"), Features{});
    EXPECT_EQ(parse_features(""), Features{});
}

TEST(Features, ListsAreWrittenAsTheyAreRead) {
    EXPECT_EQ(to_string(own_features), "half-close,big-frames,pings,reasons");
    EXPECT_EQ(to_string(device_hop_features), "half-close,big-frames,pings,policy,renewal,reasons,takeover");
    EXPECT_EQ(parse_features("policy"), Features{.policy = true});
    EXPECT_EQ(to_string(Features{}), "none");
    EXPECT_EQ(to_string(Features{.half_close = false, .big_frames = true}), "big-frames");
}

TEST(Features, OnlyCommonOnesCount) {
    EXPECT_EQ(common_features(own_features, {.half_close = true, .big_frames = false}),
              (Features{.half_close = true, .big_frames = false}));
}

TEST(Features, AHubThatNamesAnyIsOneOfOurs) {
    EXPECT_TRUE(from_own_hub(to_string(own_features)));
    EXPECT_TRUE(from_own_hub(to_string(Features{})));
    EXPECT_FALSE(from_own_hub(""));
}

// As hubs before `renewal` read it: what stands between "(features=" and the next ")".
std::string features_for_an_older_hub(const std::string& client_type) {
    const std::string marker = "(features=";
    const auto start = client_type.find(marker) + marker.size();
    return client_type.substr(start, client_type.find(')', start) - start);
}

constexpr auto instance = "0123456789abcdef";

TEST(Announcement, IsWrittenAsItIsRead) {
    const Announcement made{device_hop_features, instance};
    const auto text = announce("device-proxy/1.0", made);
    EXPECT_EQ(text,
              "device-proxy/1.0 (features=half-close,big-frames,pings,policy,renewal,reasons,takeover) "
              "(instance=0123456789abcdef)");
    EXPECT_EQ(parse_announcement(text), made);
    EXPECT_EQ(parse_announcement(announce("device-proxy/1.0", {own_features})), (Announcement{own_features, ""}));
}

TEST(Announcement, TellsOlderHubsAllTheFeaturesThatTheyKnow) {
    const auto seen = features_for_an_older_hub(announce("device-proxy/1.0", {device_hop_features, instance}));
    EXPECT_EQ(seen, "half-close,big-frames,pings,policy,renewal,reasons,takeover");
}

TEST(Announcement, OfAnOlderProxyHasNoInstance) {
    const auto read = parse_announcement("device-proxy/0.1.0 (features=half-close,big-frames,pings,policy)");
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->features.policy);
    EXPECT_FALSE(read->features.renewal);
    EXPECT_EQ(read->instance, "");
}

TEST(Announcement, ForeignClientTypesHaveNone) {
    for (const char* text : {"", "iothubclient/1.6.0 (native; Linux; x86_64)", "x (features=pings", "features=pings)",
                             "device-proxy/0.1.0 (unknowns=renewal) (instance=0123456789abcdef)"})
        EXPECT_FALSE(parse_announcement(text)) << text;
}

TEST(Announcement, TakesOnlySixteenLowerCaseHexDigitsForAnInstance) {
    for (const char* text : {"", "0123456789abcde", "0123456789abcdef0", "0123456789ABCDEF", "0123456789abcdeg",
                             " 0123456789abcdef", "0123456789abcdef\n"}) {
        const auto read = parse_announcement("x (features=renewal) (instance=" + std::string(text) + ")");
        ASSERT_TRUE(read) << text;
        EXPECT_EQ(read->instance, "") << text;
    }
    EXPECT_EQ(parse_announcement("x (features=renewal) (instance=0123456789abcdef")->instance, "") << "no end";
}

TEST(Announcement, InstancesAreFreshAndCanBeAnnounced) {
    const auto made = make_instance_id();
    EXPECT_NE(made, make_instance_id());
    EXPECT_EQ(parse_announcement(announce("x", {own_features, made}))->instance, made);
}

}  // namespace
}  // namespace device_streams
