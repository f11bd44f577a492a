#include "tests/component/support/device_proxy_fixture.hpp"
#include "tests/component/support/local_services.hpp"

namespace device_streams::device {
namespace {

TEST_F(DeviceProxyTest, CarriesAStreamToTheLocalService) {
    start_proxy();
    auto [stream, local] = open();
    expect_echo(stream, local, "hello");
    EXPECT_TRUE(log->contains("stream opened device=dev-01 stream=1a2b3c4d policy=service service=ssh"));
}

TEST_F(DeviceProxyTest, CarriesTheEndOfEachDirectionAlone) {
    start_proxy();
    auto [stream, local] = open();
    stream.send("request");
    stream.finish();
    EXPECT_EQ(local.receive(100), "request");
    local.send("late answer");
    local.shut_down_writing();
    EXPECT_EQ(stream.receive(100), "late answer");
    EXPECT_TRUE(eventually([this] { return log->contains("reason=closed by the "); }));
    EXPECT_TRUE(log->contains("bytes_to_device=7 bytes_to_service=11"));
}

TEST_F(DeviceProxyTest, RejectsAnUnknownService) {
    start_proxy();
    expect_rejected("telnet.1a2b3c4d");
    EXPECT_TRUE(log->contains("DS-401"));
}

TEST_F(DeviceProxyTest, OpensANarrowedServiceToThePoliciesItNames) {
    settings.streams.services = ServiceMap(
        {{"ssh", {service.endpoint(), {}, {"service"}}}, {"web", {service.endpoint(), {}, {"others"}}}}, std::nullopt);
    start_proxy();
    auto [stream, local] = open();
    expect_echo(stream, local, "for us");
    expect_rejected("web.1a2b3c4d");
    EXPECT_TRUE(log->contains("DS-405 the service is not open to this policy: web, policy service"));
}

TEST_F(DeviceProxyTest, GivesNothingThatAPolicyWasAllowedToTheDefaultService) {
    for (const std::vector<std::string>& allow_from : {std::vector<std::string>(), {"service"}}) {
        settings.streams.services = ServiceMap({{"ssh", {service.endpoint(), {}, allow_from}}}, "ssh");
        start_proxy();
        expect_rejected("web");
        auto [stream, local] = open("ssh");
        expect_echo(stream, local, "by its name");
        proxy->stop();
    }
}

TEST_F(DeviceProxyTest, RejectsWhenTheLocalServiceRefuses) {
    start_proxy();
    service.close();
    expect_rejected("ssh.1a2b3c4d");
    EXPECT_TRUE(log->contains("DS-402"));
}

TEST_F(DeviceProxyTest, RejectsABlackHoledServiceInTimeWhileOthersWork) {
    BlackHole black_hole;
    settings.streams.services =
        ServiceMap({{"hole", {black_hole.endpoint}}, {"ssh", {service.endpoint()}}}, std::nullopt);
    settings.streams.local_timeout = 2s;
    start_proxy();
    auto hole = client();
    auto rejected = hole.begin("dev-01", "hole.00000001", 10);
    auto [stream, local] = open();
    expect_echo(stream, local, "not held up");
    EXPECT_FALSE(log->contains("DS-403"));
    EXPECT_EQ(rejected.get().accepted, "False");
    EXPECT_TRUE(log->contains("DS-403"));
}

TEST_F(DeviceProxyTest, CarriesManyStreamsAtTheSameTime) {
    start_proxy();
    std::vector<std::pair<ServiceStream, BlockingSocket>> streams;
    for (int i = 0; i < 20; ++i) streams.push_back(open("ssh.000000" + std::to_string(10 + i)));
    for (auto& [stream, local] : streams) expect_echo(stream, local, std::string(1000, 'x'));
}

TEST_F(DeviceProxyTest, CancelEndsStreamsOnBothSides) {
    start_proxy();
    auto [stream, local] = open();
    expect_echo(stream, local, "hello");
    proxy->stop();
    EXPECT_EQ(local.how_it_ends(), "reset");
    EXPECT_NE(stream.how_it_ends(), "end");
}

TEST_F(DeviceProxyTest, ResetsTheStreamWhenTheLocalServiceResets) {
    start_proxy();
    auto [stream, local] = open();
    expect_echo(stream, local, "hello");
    local.reset();
    EXPECT_NE(stream.how_it_ends(), "end");
    EXPECT_TRUE(eventually([this] { return log->contains("reason=DS-501"); }));
}

TEST_F(DeviceProxyTest, UsesNewServicesAfterAReload) {
    start_proxy();
    auto [stream, local] = open();
    BlockingListener rdp;
    settings.streams.services = ServiceMap({{"rdp", {rdp.endpoint()}}}, std::nullopt);
    proxy->on_control([this](DeviceProxy& program) { program.apply(settings); });
    expect_rejected("ssh.00000002");
    EXPECT_EQ(client().open("dev-01", "rdp.00000003", 10).accepted, "True");
    expect_echo(stream, local, "still here");
}

TEST_F(DeviceProxyTest, LogsNoSecrets) {
    start_proxy();
    auto [stream, local] = open();
    expect_echo(stream, local, "payload-text");
    proxy->stop();
    for (const auto* secret : {"payload-text", "SharedAccessSignature", "MDEyMzQ1", "Bearer", "/bridges/", "$auth"})
        EXPECT_FALSE(log->contains(secret)) << secret;
}

}  // namespace
}  // namespace device_streams::device
