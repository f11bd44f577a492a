#include "tests/component/support/device_proxy_fixture.hpp"
#include "tests/component/support/local_services.hpp"

namespace device_streams::device {
namespace {

class DeviceProxyLinkTest : public DeviceProxyTest {};

TEST_F(DeviceProxyLinkTest, WorksOverMqttWithoutWebSocket) {
    settings.link.transport = LinkTransport::mqtt;
    settings.link.port = (*hub)->mqtt_endpoint()->port;
    start_proxy();
    auto [stream, local] = open();
    expect_echo(stream, local, "hello");
}

TEST_F(DeviceProxyLinkTest, WorksAsAModule) {
    settings.link.identity.module_id = "tunnel";
    start_proxy();
    const auto opened = client().open("dev-01/modules/tunnel", "ssh.1a2b3c4d", 10);
    EXPECT_EQ(opened.accepted, "True");
}

TEST_F(DeviceProxyLinkTest, LogsARefusedCredentialAndKeepsTrying) {
    settings.link.identity.key = Secret("c29tZXRoaW5nIGVsc2UgdGhhdCBpcyBsb25nIGVub3U=");
    start_proxy();
    EXPECT_TRUE(eventually([this] { return log->contains("DS-207"); }));
    settings.link.identity.key = other_key;
    proxy->on_control([this](DeviceProxy& program) { program.apply(settings); });
    EXPECT_TRUE(eventually([this] { return log->contains("linked to the hub"); }));
}

TEST_F(DeviceProxyLinkTest, DoesNotTrustAnotherAuthority) {
    const TestCertificates other;
    settings.link.hub.tls = TlsContext::client(other.ca_file);
    start_proxy();
    EXPECT_TRUE(eventually([this] { return log->contains("DS-203"); }));
}

TEST_F(DeviceProxyLinkTest, DoesNotTrustACertificateForAnotherName) {
    settings.link.hub.host_name = settings.link.identity.host_name = "other.example";
    start_proxy();
    EXPECT_TRUE(eventually([this] { return log->contains("DS-203"); }));
}

TEST_F(DeviceProxyLinkTest, ComesBackWhenTheHubDoes) {
    start_proxy();
    {
        auto [stream, local] = open();
        hub.reset();
        EXPECT_EQ(local.how_it_ends(), "reset");
    }
    EXPECT_TRUE(eventually([this] { return log->contains("DS-201"); }));
    start_hub();
    auto [stream, local] = open();
    expect_echo(stream, local, "back again");
}

TEST_F(DeviceProxyLinkTest, RenewsItsTokenUnderARunningStream) {
    settings.link.token_lifetime = 1s;
    start_proxy();
    auto [stream, local] = open();
    EXPECT_TRUE(eventually([this] { return log->contains("link to the hub renewed"); }));
    expect_echo(stream, local, "untouched");
    auto [second, second_local] = open("ssh.00000002", 0);
    expect_echo(second, second_local, "on the new link");
    EXPECT_FALSE(log->contains("warning"));
    EXPECT_TRUE(eventually([this] { return hub_log->contains("reason=renewed"); }));
    EXPECT_FALSE(hub_log->contains("DS-606"));
}

TEST_F(DeviceProxyLinkTest, ReplacesItsLinkForNewSettingsWithoutAlarm) {
    start_proxy();
    ASSERT_TRUE(eventually([this] { return log->contains("linked to the hub"); }));
    settings.link.keep_alive += 1s;
    proxy->on_control([this](DeviceProxy& program) { program.apply(settings); });
    EXPECT_TRUE(eventually([this] { return hub_log->contains("reason=renewed"); }));
    EXPECT_FALSE(hub_log->contains("DS-606"));
}

TEST_F(DeviceProxyLinkTest, AlarmsTheHubWhenASecondOneHasTheSameIdentity) {
    start_proxy();
    ASSERT_TRUE(eventually([this] { return log->contains("linked to the hub"); }));
    RunningProgram<DeviceProxy> twin(background, std::make_shared<CapturedLog>(), settings);
    EXPECT_TRUE(eventually([this] { return hub_log->contains("DS-606"); }));
    twin.stop();
}

TEST_F(DeviceProxyLinkTest, LosesNoRequestWhileTheLinkIsRenewed) {
    EchoService echo(background);
    settings.streams.services = ServiceMap({{"ssh", {echo.endpoint()}}}, std::nullopt);
    start_proxy();
    auto asking = client();
    EXPECT_EQ(asking.open("dev-01", "ssh.00000000", 10).accepted, "True");
    for (int renewal = 1; renewal <= 20; ++renewal) {
        settings.link.keep_alive = std::chrono::seconds(20 + renewal % 2);
        proxy->on_control([this](DeviceProxy& program) { program.apply(settings); });
        for (int i = 0; i < 10; ++i) {
            auto opened = asking.open("dev-01", "ssh.000000" + std::to_string(10 + i), 0);
            ASSERT_EQ(opened.accepted, "True") << opened.status << " in renewal " << renewal;
            opened.stream->send("here");
            ASSERT_EQ(opened.stream->receive(4), "here") << "in renewal " << renewal;
        }
    }
}

TEST_F(DeviceProxyLinkTest, LeavesTheHubAndLetsStreamsRun) {
    start_proxy();
    auto [stream, local] = open();
    proxy->on_control([](DeviceProxy& program) { program.stop_accepting(); });
    EXPECT_TRUE(eventually([this] { return client().open("dev-01", "ssh.00000002", 0).status == 404; }));
    expect_echo(stream, local, "still here");
}

}  // namespace
}  // namespace device_streams::device
