#include "service-proxy/service_proxy_settings.hpp"

#include "common/base/error.hpp"

#include <gtest/gtest.h>

namespace device_streams::service {
namespace {

HubSettings settings(const std::string& connection_string) {
    HubSettings hub;
    hub.connection_string = Secret(connection_string);
    return hub;
}

ServiceAccess access_of(const HubSettings& hub) {
    ServiceProxyConfig config;
    config.hub = hub;
    return make_settings(config).hub;
}

constexpr auto service_string = "HostName=hub1.iot.example;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0";

std::string fault_of(const std::string& connection_string) {
    try {
        access_of(settings(connection_string));
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.errc(), Errc::credential_malformed);
        EXPECT_EQ(failure.detail().find("c2VjcmV0"), std::string::npos);
        return failure.detail();
    }
    return "none";
}

TEST(ServiceAccess, ConnectsToHostNameByDefault) {
    const auto hub = access_of(settings(service_string));
    EXPECT_EQ(hub.hub.route(hub.endpoint()).to_string(), "hub1.iot.example:443");
}

TEST(ServiceAccess, AddressAndPortOverrideWhereToConnectOnly) {
    auto hub_settings = settings(service_string);
    hub_settings.address = "127.0.0.1";
    hub_settings.port = 8443;
    const auto hub = access_of(hub_settings);
    EXPECT_EQ(hub.hub.route(hub.endpoint()).to_string(), "127.0.0.1:8443");
    EXPECT_EQ(hub.endpoint().host, "hub1.iot.example");
}

TEST(ServiceAccess, GatewayIsWhereToConnectUnlessOverridden) {
    auto hub_settings = settings(std::string(service_string) + ";GatewayHostName=edge.example");
    EXPECT_EQ(access_of(hub_settings).hub.connect_host, "edge.example");
    hub_settings.address = "127.0.0.1";
    EXPECT_EQ(access_of(hub_settings).hub.connect_host, "127.0.0.1");
}

TEST(ServiceAccess, OverrideCountsForStreamsOfTheHubItself) {
    auto hub_settings = settings(service_string);
    hub_settings.address = "127.0.0.1";
    const auto hub = access_of(hub_settings);
    EXPECT_EQ(hub.hub.route({.host = "HUB1.iot.example", .port = 444, .path = {}}).to_string(), "127.0.0.1:444");
    EXPECT_EQ(hub.hub.route({.host = "streams.example", .port = 443, .path = {}}).to_string(), "streams.example:443");
}

TEST(ServiceAccess, WantsAServicesConnectionString) {
    EXPECT_NE(fault_of("HostName=hub1.iot.example;DeviceId=dev-01;SharedAccessKey=c2VjcmV0").find("device"),
              std::string::npos);
    EXPECT_NE(fault_of("HostName=hub1.iot.example;SharedAccessKey=c2VjcmV0").find("SharedAccessKeyName"),
              std::string::npos);
    EXPECT_NE(fault_of("HostName=hub1.iot.example;SharedAccessKeyName=service").find("SharedAccessKey"),
              std::string::npos);
}

}  // namespace
}  // namespace device_streams::service
