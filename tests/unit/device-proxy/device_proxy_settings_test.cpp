#include "device-proxy/device_proxy_settings.hpp"

#include "common/base/error.hpp"

#include <gtest/gtest.h>

namespace device_streams::device {
namespace {

using namespace std::chrono_literals;

DeviceProxyConfig config(std::string more = "") {
    DeviceProxyConfig made;
    made.hub.connection_string = Secret("HostName=hub1.iot.example;DeviceId=dev-01;" + std::move(more) +
                                        "SharedAccessKey=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
    made.services["ssh"].address = {.host = "localhost", .port = 22, .path = {}};
    return made;
}

TEST(DeviceProxySettings, TakesTheIdentityFromTheConnectionString) {
    const auto settings = make_settings(config("ModuleId=tunnel;"));
    EXPECT_EQ(settings.link.target().to_string(), "dev-01/tunnel");
    EXPECT_EQ(settings.link.hub.host_name, "hub1.iot.example");
}

TEST(DeviceProxySettings, ConnectsToHostNameByDefault) {
    const auto hub = make_settings(config()).link.hub;
    EXPECT_EQ(hub.route({.host = "hub1.iot.example", .port = 443, .path = {}}).to_string(), "hub1.iot.example:443");
}

TEST(DeviceProxySettings, ConnectsToTheGatewayWhenThereIsOne) {
    const auto hub = make_settings(config("GatewayHostName=edge.example;")).link.hub;
    EXPECT_EQ(hub.host_name, "hub1.iot.example");
    EXPECT_EQ(hub.route({.host = "hub1.iot.example", .port = 443, .path = {}}).to_string(), "edge.example:443");
}

TEST(DeviceProxySettings, PrefersTheConfiguredAddress) {
    auto with_address = config("GatewayHostName=edge.example;");
    with_address.hub.address = "127.0.0.1";
    const auto hub = make_settings(with_address).streams.hub;
    EXPECT_EQ(hub.route({.host = "HUB1.iot.example", .port = 8443, .path = {}}).to_string(), "127.0.0.1:8443");
}

TEST(DeviceProxySettings, DialsOtherHostsOfStreamUrlsAsTheyAre) {
    auto with_address = config();
    with_address.hub.address = "127.0.0.1";
    const auto hub = make_settings(with_address).streams.hub;
    EXPECT_EQ(hub.route({.host = "streams.example", .port = 443, .path = {}}).to_string(), "streams.example:443");
}

TEST(DeviceProxySettings, ChoosesThePortByTransport) {
    auto changed = config();
    changed.hub.port = 8443;
    changed.mqtt_port = 18883;
    EXPECT_EQ(make_settings(changed).link.port, 8443);
    changed.link.transport = LinkTransport::mqtt;
    EXPECT_EQ(make_settings(changed).link.port, 18883);
    EXPECT_EQ(make_settings(changed).link.transport, LinkTransport::mqtt);
}

TEST(DeviceProxySettings, NoticesADeadHubAfterAtMostOneAndAHalfKeepAlives) {
    for (const auto keep_alive : {5s, 20s, 240s, 1767s}) {
        auto changed = config();
        changed.link.keep_alive = keep_alive;
        const auto link = make_settings(changed).link;
        EXPECT_LE(link.session.ping_answer, keep_alive / 2.0) << keep_alive.count();
        EXPECT_GE(link.session.ping_answer, 2s) << keep_alive.count();
    }
    EXPECT_LT(make_settings(config()).link.keep_alive + make_settings(config()).link.session.ping_answer, 30s);
}

TEST(DeviceProxySettings, RefusesTheConnectionStringOfAService) {
    auto wrong = config();
    wrong.hub.connection_string =
        Secret("HostName=hub1.iot.example;SharedAccessKeyName=service;SharedAccessKey=MDEyMw==");
    try {
        make_settings(wrong);
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.errc(), Errc::credential_malformed);
    }
}

TEST(DeviceProxySettings, SeesWhichChangesNeedANewLink) {
    const auto present = make_settings(config()).link;
    auto changed = config();
    changed.link.backoff.longest = 5s;
    changed.services.clear();
    EXPECT_TRUE(make_settings(changed).link.same_link(present));
    changed.hub.port = 8443;
    EXPECT_FALSE(make_settings(changed).link.same_link(present));
    changed = config();
    changed.hub.mss = 1200;
    EXPECT_FALSE(make_settings(changed).link.same_link(present));
    EXPECT_FALSE(make_settings(config("ModuleId=tunnel;")).link.same_link(present));
}

}  // namespace
}  // namespace device_streams::device
