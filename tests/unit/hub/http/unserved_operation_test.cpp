#include "hub/http/unserved_operation.hpp"

#include <gtest/gtest.h>

#include <string>

namespace device_streams::hub {
namespace {

std::string why(std::string_view method, std::string_view path) {
    const auto unserved = unserved_operation(method, path);
    return unserved ? std::string(unserved->why) : "";
}
std::optional<Errc> logged(std::string_view method, std::string_view path) {
    const auto unserved = unserved_operation(method, path);
    return unserved ? unserved->logged : std::nullopt;
}

TEST(UnservedOperation, WhatIsServedIsNone) {
    for (const char* path : {"/devices", "/devices/", "/devices/pump-17", "/devices/query", "/devices/pump-17/modules",
                             "/devices/pump-17/modules/m", "/twins/pump-17/streams/ssh",
                             "/twins/pump-17/modules/m/streams/ssh", "/$iothub/websocket", "/bridges/ih/hub1"})
        EXPECT_EQ(why("GET", path), "") << path;
    EXPECT_EQ(why("POST", "/twins/pump-17/streams/ssh"), "");
    EXPECT_EQ(why("PUT", "/devices/query"), "") << "a device may have that id";
}

TEST(UnservedOperation, WhatAzureDoesNotKnowIsNone) {
    for (const char* path : {"", "/", "//", "/twins", "/twins/", "/healthz", "/devices/pump-17/wheels",
                             "/registrations", "/scope/registrations", "x"})
        EXPECT_EQ(why("GET", path), "") << path;
}

TEST(UnservedOperation, TwinsAndMethods) {
    for (const char* method : {"GET", "PATCH", "PUT", "POST"})
        EXPECT_EQ(why(method, "/twins/pump-17"), "twins are not served by this hub");
    EXPECT_EQ(why("GET", "/twins/pump-17/modules/m"), "twins are not served by this hub");
    EXPECT_EQ(why("PUT", "/twins/pump-17/properties/desired"), "twins are not served by this hub");
    EXPECT_EQ(why("POST", "/twins/pump-17/methods"), "direct methods are not served by this hub");
    EXPECT_EQ(why("POST", "/twins/pump-17/modules/m/methods"), "direct methods are not served by this hub");
}

TEST(UnservedOperation, CallsOfTheRegistry) {
    EXPECT_NE(why("POST", "/devices"), "");
    EXPECT_NE(why("POST", "/devices/pump-17/modules"), "");
    EXPECT_EQ(why("POST", "/devices/query"), "queries are not served by this hub");
    EXPECT_NE(why("POST", "/devices/pump-17/applyConfigurationContent"), "");
    EXPECT_NE(why("DELETE", "/devices/pump-17/commands"), "");
    for (const char* path : {"/statistics/devices", "/jobs/v2/7", "/jobs/create", "/configurations",
                             "/configurations/c", "/digitaltwins/pump-17", "/messages/serviceBound/feedback"}) {
        EXPECT_NE(why("GET", path), "") << path;
        EXPECT_EQ(logged("GET", path), std::nullopt) << path;
    }
}

TEST(UnservedOperation, DevicesOverHttpAreLogged) {
    for (const char* path : {"/devices/pump-17/messages/events", "/devices/pump-17/messages/devicebound",
                             "/devices/pump-17/messages/devicebound/7/abandon", "/devices/pump-17/files",
                             "/devices/pump-17/modules/m/messages/events"})
        EXPECT_EQ(logged("POST", path), Errc::transport_not_served) << path;
}

TEST(UnservedOperation, ProvisioningIsLogged) {
    for (const char* path : {"/0ne00000000/registrations/pump-17/register",
                             "/0ne00000000/registrations/pump-17/operations/4", "/0ne00000000/registrations/pump-17"})
        EXPECT_EQ(logged("PUT", path), Errc::provisioning_not_served) << path;
}

}  // namespace
}  // namespace device_streams::hub
