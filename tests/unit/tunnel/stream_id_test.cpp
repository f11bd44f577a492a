#include "common/tunnel/stream_id.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

TEST(StreamName, FreshNamesParseBack) {
    const auto name = make_stream_name("ssh");
    const auto parsed = parse_stream_name(to_string(name));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->service, "ssh");
    EXPECT_EQ(parsed->id, name.id);
}

TEST(StreamName, FreshNamesDiffer) {
    EXPECT_NE(make_stream_name("ssh").id, make_stream_name("ssh").id);
}

TEST(StreamName, AFeatureSuffixIsNotPartOfTheId) {
    const auto parsed = parse_stream_name("rdp.0a1b2c3d-re");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->service, "rdp");
    EXPECT_EQ(parsed->id, "0a1b2c3d");
}

TEST(StreamName, OnlyTheLastSuffixCounts) {
    EXPECT_EQ(parse_stream_name("a.00000000.0a1b2c3d")->service, "a.00000000");
}

TEST(StreamName, ForeignNamesAreNotTakenApart) {
    for (const auto* name : {"TestStream", "ssh", "ssh.123", "ssh.0A1B2C3D", "ssh.0a1b2c3", "ssh.0a1b2c3d4",
                             ".0a1b2c3d", "ssh.0a1b2c3d-", "ssh.0a1b2c3d-R", "ssh.0a1b2c3dxy", ""})
        EXPECT_FALSE(parse_stream_name(name)) << name;
}

TEST(StreamName, LogsShowTheIdOrTheForeignName) {
    EXPECT_EQ(loggable_stream_id("ssh.0a1b2c3d"), "0a1b2c3d");
    EXPECT_EQ(loggable_stream_id("TestStream"), "TestStream");
}

TEST(ServiceName, AllowsLettersDigitsDashAndUnderscore) {
    EXPECT_TRUE(is_valid_service_name("web-1_B"));
    for (const auto& name :
         {std::string(), std::string("a.b"), std::string("a b"), std::string("a/b"), std::string(65, 'x')})
        EXPECT_FALSE(is_valid_service_name(name)) << name;
}

}  // namespace
}  // namespace device_streams
