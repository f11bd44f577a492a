#include "device-proxy/service_map.hpp"

#include <gtest/gtest.h>

namespace device_streams::device {
namespace {

const Endpoint ssh{.host = "localhost", .port = 22, .path = {}};
const Endpoint rdp{.host = "192.168.7.20", .port = 3389, .path = {}};

std::string resolved(const ServiceMap& map, std::string_view stream_name, std::string_view policy = "") {
    const auto service = map.resolve(stream_name, policy);
    return service ? service->name : "(rejected)";
}

ServiceMap without_default() {
    return {{{"ssh", {ssh}}, {"rdp-2", {rdp}}}, std::nullopt};
}
ServiceMap with_default() {
    return {{{"ssh", {ssh}}, {"rdp-2", {rdp}}}, "ssh"};
}

TEST(ServiceMap, OpensANarrowedServiceOnlyToThePoliciesItNames) {
    const ServiceMap map({{"ssh", {ssh, {}, {"ops", "night-shift"}}}, {"rdp", {rdp}}}, "ssh");
    for (const char* name : {"ssh", "ssh.1a2b3c4d"}) {
        EXPECT_TRUE(map.resolve(name, "night-shift")->is_open_to("night-shift")) << name;
        EXPECT_FALSE(map.resolve(name, "night")->is_open_to("night")) << name;
        EXPECT_FALSE(map.resolve(name, "")->is_open_to("")) << name;
    }
    EXPECT_FALSE(map.resolve("TestStream", "")->is_open_to("")) << "the default service is narrowed, too";
    EXPECT_TRUE(map.resolve("rdp", "anybody")->is_open_to("anybody"));
    EXPECT_TRUE(map.resolve("rdp", "")->is_open_to("")) << "hubs that name no policy";
}

TEST(ServiceMap, FindsTheExactName) {
    EXPECT_EQ(without_default().resolve("rdp-2", ""), (LocalService{"rdp-2", {rdp}}));
}

TEST(ServiceMap, LooksBehindAStreamId) {
    EXPECT_EQ(without_default().resolve("ssh.1a2b3c4d", ""), (LocalService{"ssh", {ssh}}));
}

TEST(ServiceMap, LooksBehindAStreamIdWithOfferedFeatures) {
    EXPECT_EQ(resolved(without_default(), "rdp-2.00ff00ff-re2"), "rdp-2");
}

TEST(ServiceMap, PrefersTheExactNameToTheNameWithoutId) {
    const ServiceMap map({{"ssh", {ssh}}, {"ssh.1a2b3c4d", {rdp}}}, std::nullopt);
    EXPECT_EQ(resolved(map, "ssh.1a2b3c4d"), "ssh.1a2b3c4d");
}

TEST(ServiceMap, RejectsUnknownNames) {
    EXPECT_EQ(resolved(without_default(), "telnet"), "(rejected)");
    EXPECT_EQ(resolved(without_default(), "telnet.1a2b3c4d"), "(rejected)");
    EXPECT_EQ(resolved(without_default(), ""), "(rejected)");
}

TEST(ServiceMap, IsCaseSensitive) {
    EXPECT_EQ(resolved(without_default(), "SSH"), "(rejected)");
}

TEST(ServiceMap, TakesOnlyAWholeIdForAnId) {
    for (const auto* name : {"ssh.1a2b3c4", "ssh.1a2b3c4d5", "ssh.1A2B3C4D", "ssh.1a2b3c4g", "ssh-1a2b3c4d",
                             "ssh.1a2b3c4d-", "ssh.1a2b3c4d-R", "ssh.1a2b3c4d-r-e", "ssh."})
        EXPECT_EQ(resolved(without_default(), name), "(rejected)") << name;
}

TEST(ServiceMap, RemovesOnlyOneId) {
    EXPECT_EQ(resolved(without_default(), "ssh.1a2b3c4d.1a2b3c4d"), "(rejected)");
}

TEST(ServiceMap, GivesForeignNamesToTheDefaultService) {
    EXPECT_EQ(resolved(with_default(), "TestStream"), "ssh");
}

// The hub allowed the name that the stream has, and nothing else.
TEST(ServiceMap, HasNoDefaultWhereTheHubNamesAPolicy) {
    const ServiceMap narrowed({{"ssh", {ssh, {}, {"ops"}}}}, "ssh");
    for (const auto& map : {with_default(), narrowed}) {
        EXPECT_EQ(resolved(map, "web", "ops"), "(rejected)");
        EXPECT_EQ(resolved(map, "ssh", "ops"), "ssh");
        EXPECT_EQ(resolved(map, "ssh.1a2b3c4d", "ops"), "ssh");
        EXPECT_EQ(resolved(map, "web", ""), "ssh");
    }
}

TEST(ServiceMap, NeverGivesANameWithIdToTheDefaultService) {
    EXPECT_EQ(resolved(with_default(), "telnet.1a2b3c4d"), "(rejected)");
    EXPECT_EQ(resolved(with_default(), "telnet.1a2b3c4d-e"), "(rejected)");
}

TEST(ServiceMap, HasNoDefaultUnlessConfigured) {
    EXPECT_EQ(resolved(without_default(), "TestStream"), "(rejected)");
}

}  // namespace
}  // namespace device_streams::device
