#include "common/iothub/stream_request.hpp"

#include <gtest/gtest.h>

namespace device_streams::iothub {
namespace {

const std::string sid = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

TEST(Target, ReadsAsAnMqttClientId) {
    EXPECT_EQ((Target{.device_id = "dev-01", .module_id = {}}.to_string()), "dev-01");
    EXPECT_EQ((Target{.device_id = "dev-01", .module_id = "tunnel"}.to_string()), "dev-01/tunnel");
}

TEST(ServicePath, OfADeviceIsReadAndWritten) {
    const std::string text = "/twins/dev-01/streams/ssh-1?api-version=2020-09-30";
    const auto path = parse_service_path(text);
    ASSERT_TRUE(path);
    EXPECT_EQ(path->target, (Target{.device_id = "dev-01", .module_id = {}}));
    EXPECT_EQ(path->name, "ssh-1");
    EXPECT_EQ(service_path(*path, "2020-09-30"), text);
}

TEST(ServicePath, OfAModuleIsReadAndWritten) {
    const std::string text = "/twins/a%40b/modules/tunnel/streams/ssh-1?api-version=x";
    const auto path = parse_service_path(text);
    ASSERT_TRUE(path);
    EXPECT_EQ(path->target, (Target{.device_id = "a@b", .module_id = "tunnel"}));
    EXPECT_EQ(service_path(*path, "x"), text);
}

TEST(ServicePath, TakesIdsAsEachSdkEncodesThem) {
    EXPECT_EQ(parse_service_path("/twins/a@b/streams/s")->target.device_id, "a@b");          // C: raw
    EXPECT_EQ(parse_service_path("/twins/a%21b/streams/s")->target.device_id, "a!b");        // Node: strict
    EXPECT_EQ(parse_service_path("/twins/a%2cb/streams/s")->target.device_id, "a,b");        // lower-case hex
    EXPECT_EQ(parse_service_path("/twins/a+b/streams/s")->target.device_id, "a+b");          // plus is a plus
    EXPECT_EQ(parse_service_path("/twins/modules/streams/s")->target.device_id, "modules");  // an id like any other
}

TEST(ServicePath, IsRefusedWhenMalformed) {
    for (const auto* path : {"",
                             "/",
                             "/twins",
                             "/twins/d",
                             "/twins/d/streams",
                             "/twins/d/streams/",
                             "/twins//streams/s",
                             "twins/d/streams/s",
                             "/twins/d/streams/s/",
                             "/twins/d/streams/s/x",
                             "/twins/d/modules/streams/s",
                             "/twins/d/modules//streams/s",
                             "/twins/a%2Fb/streams/s",
                             "/twins/a%4/streams/s",
                             "/twins/a%00/streams/s",
                             "/twins/d/streams/a%20b",
                             "/twins/d/streams/a+b",
                             "/Twins/d/streams/s",
                             "/devices/d/streams/s",
                             "/twins/d/methods/s",
                             "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a"})
        EXPECT_FALSE(parse_service_path(path)) << path;
}

TEST(BridgePath, OfADeviceIsReadAndWritten) {
    const std::string text = "/bridges/ih/hub1/d/dev-01/sid/" + sid + "/r/device";
    const auto path = parse_bridge_path(text);
    ASSERT_TRUE(path);
    EXPECT_EQ(path->hub, "hub1");
    EXPECT_EQ(path->target, (Target{.device_id = "dev-01", .module_id = {}}));
    EXPECT_EQ(path->stream_id, sid);
    EXPECT_EQ(path->role, "device");
    EXPECT_EQ(bridge_path(*path), text);
}

TEST(BridgePath, OfAModuleIsReadAndWritten) {
    const std::string text = "/bridges/ih/hub1/d/a%40b/m/tunnel/sid/" + sid + "/r/service";
    const auto path = parse_bridge_path(text);
    ASSERT_TRUE(path);
    EXPECT_EQ(path->target, (Target{.device_id = "a@b", .module_id = "tunnel"}));
    EXPECT_EQ(path->role, "service");
    EXPECT_EQ(bridge_path(*path), text);
}

TEST(BridgePath, IgnoresAQuery) {
    EXPECT_TRUE(parse_bridge_path("/bridges/ih/hub1/d/dev-01/sid/" + sid + "/r/device?x=/y"));
}

TEST(BridgePath, IsRefusedWhenMalformed) {
    const std::string start = "/bridges/ih/hub1/d/dev-01";
    for (const auto& path :
         {std::string(), std::string("/bridges"), start, start + "/sid/" + sid, start + "/sid/" + sid + "/r",
          start + "/sid/" + sid + "/r/", start + "/sid/" + sid + "/r/hub", start + "/sid/" + sid + "/r/device/",
          start + "/sid/" + sid.substr(1) + "/r/device", start + "/sid/" + sid + "0/r/device",
          start + "/sid/" + sid.substr(1) + "g/r/device", start + "/m//sid/" + sid + "/r/device",
          "/bridges/ih//d/dev-01/sid/" + sid + "/r/device", "/bridges/ih/hub1/d/a%2Fb/sid/" + sid + "/r/device",
          "bridges/ih/hub1/d/dev-01/sid/" + sid + "/r/device"})
        EXPECT_FALSE(parse_bridge_path(path)) << path;
}

TEST(StreamUrl, TakesPortAndPathApart) {
    const auto url = parse_stream_url("wss://streams.iot.example:8443/bridges/x?y=1");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->host, "streams.iot.example");
    EXPECT_EQ(url->port, 8443);
    EXPECT_EQ(url->target, "/bridges/x?y=1");
}

TEST(StreamUrl, HasDefaults) {
    EXPECT_EQ(parse_stream_url("wss://h")->port, 443);
    EXPECT_EQ(parse_stream_url("wss://h")->target, "/");
    EXPECT_EQ(parse_stream_url("wss://h?q")->target, "/?q");
    EXPECT_EQ(parse_stream_url("WSS://h/")->host, "h");
}

TEST(StreamUrl, TakesAddresses) {
    EXPECT_EQ(parse_stream_url("wss://127.0.0.1:1/")->host, "127.0.0.1");
    EXPECT_EQ(parse_stream_url("wss://[::1]:8443/x")->host, "::1");
    EXPECT_EQ(parse_stream_url("wss://[::1]:8443/x")->port, 8443);
    EXPECT_EQ(parse_stream_url("wss://[fe80::1]/x")->port, 443);
}

TEST(StreamUrl, KeepsColonsAndBracketsOfThePath) {
    EXPECT_EQ(parse_stream_url("wss://h/a:b]")->target, "/a:b]");
    EXPECT_EQ(parse_stream_url("wss://h/a:b]")->port, 443);
}

TEST(StreamUrl, IsRefusedWhenMalformed) {
    for (const auto* url : {"",
                            "wss",
                            "wss://",
                            "wss:///x",
                            "ws://h/",
                            "https://h/",
                            "h/",
                            "wss://:443/",
                            "wss://h:/",
                            "wss://h:0/",
                            "wss://h:65536/",
                            "wss://h:-1/",
                            "wss://h:+1/",
                            "wss://h:4x/",
                            "wss://u@h/",
                            "wss://u:p@h/",
                            "wss://::1/",
                            "wss://::1:443/",
                            "wss://[::1/",
                            "wss://::1]/",
                            "wss://[]/",
                            "wss://[h]/",
                            "wss://[::1]x/",
                            "wss://[::1]:/",
                            "wss://h/a b",
                            "wss://h/a\r\nX: 1",
                            "wss://h/#f",
                            "wss://h\x7f/",
                            "wss://h/\xC3\xA9",
                            "wss://h%41/"})
        EXPECT_FALSE(parse_stream_url(url)) << url;
    EXPECT_FALSE(parse_stream_url(std::string_view("wss://h/\0", 9)));
}

}  // namespace
}  // namespace device_streams::iothub
