#include "service-proxy/service_proxy.hpp"

#include "tests/component/support/tunnel_fixture.hpp"
#include "tests/support/pattern.hpp"

#include <algorithm>

namespace device_streams::test {
namespace {

using ServiceProxyTest = TunnelTest;
using test::pattern;

// Sends from a thread of its own, as two plain programs do who talk at the same time.
void expect_delivered(BlockingSocket& from, BlockingSocket& to, const std::string& text) {
    std::jthread sender([&] {
        from.send(text);
        from.shut_down_writing();
    });
    const auto received = to.receive(text.size() + 1);
    ASSERT_EQ(received.size(), text.size());
    EXPECT_TRUE(received == text) << "bytes changed on the way";
}

TEST_F(ServiceProxyTest, EachDirectionEndsByItself) {
    auto [client, at_service] = open_stream();
    client.send("question");
    client.shut_down_writing();
    EXPECT_EQ(at_service.receive(9), "question");
    at_service.send("late answer");
    at_service.shut_down_writing();
    EXPECT_EQ(client.receive(12), "late answer");
    EXPECT_TRUE(eventually_logged("stream ended device=pump-17")) << logged();
}

TEST_F(ServiceProxyTest, ServiceThatSpeaksFirstIsHeard) {
    auto client = connect();
    auto at_service = service.accept();
    at_service.send("SSH-2.0-x\r\n");
    EXPECT_EQ(client.receive(11), "SSH-2.0-x\r\n");
}

TEST_F(ServiceProxyTest, BytesAndEndSentBeforeTheStreamIsUpArrive) {
    device->stop();
    auto client = connect();
    const auto early = pattern(50'000, 1);
    client.send(early);
    client.shut_down_writing();
    start_device();
    auto at_service = service.accept();
    EXPECT_TRUE(at_service.receive(early.size() + 1) == early);
}

TEST_F(ServiceProxyTest, ClientThatLeavesBeforeItsStreamIsUpReachesNoService) {
    device->stop();
    {
        auto silent = connect();
        silent.shut_down_writing();
        auto hasty = connect();
        hasty.send("hello?");
        hasty.reset();
        EXPECT_EQ(silent.how_it_ends(), "reset");
    }
    EXPECT_TRUE(eventually([&] { return (*proxy)->streams() == 0; }));
    start_device();
    auto [client, at_service] = open_stream();  // the first connection that the service sees
    EXPECT_FALSE(lines->contains("no stream")) << logged();
}

TEST_F(ServiceProxyTest, ResetByTheClientReachesTheService) {
    auto [client, at_service] = open_stream();
    client.reset();
    EXPECT_EQ(at_service.how_it_ends(), "reset") << logged();
}

TEST_F(ServiceProxyTest, ResetByTheServiceReachesTheClient) {
    auto [client, at_service] = open_stream();
    at_service.reset();
    EXPECT_EQ(client.how_it_ends(), "reset") << logged();
}

TEST_F(ServiceProxyTest, ResetByAClientWhoseBytesAreStuckEndsTheStream) {
    auto [client, at_service] = open_stream();
    EXPECT_GT(client.send_until_blocked(), 0U);
    client.reset();
    EXPECT_TRUE(eventually([&] { return (*proxy)->streams() == 0; })) << logged();
    EXPECT_EQ(at_service.how_it_ends(), "reset");
}

TEST_F(ServiceProxyTest, ResetByAServiceWhoseBytesAreStuckEndsTheStream) {
    auto [client, at_service] = open_stream();
    EXPECT_GT(at_service.send_until_blocked(), 0U);
    at_service.reset();
    EXPECT_EQ(client.how_it_ends(), "reset");
    EXPECT_TRUE(eventually([&] { return (*proxy)->streams() == 0; })) << logged();
}

TEST_F(ServiceProxyTest, BigTransfersArriveUnchangedBothWaysAtOnce) {
    auto [client, at_service] = open_stream();
    const auto up = pattern(24 * 1024 * 1024, 2), down = pattern(24 * 1024 * 1024, 3);
    std::jthread upwards([&from = client, &to = at_service, &up] { expect_delivered(from, to, up); });
    expect_delivered(at_service, client, down);
    upwards.join();
    EXPECT_TRUE(eventually_logged("reason=closed by the ")) << logged();
}

TEST_F(ServiceProxyTest, ManyStreamsAtOnceStayApart) {
    constexpr unsigned count = 24;
    std::jthread echo([&] {
        std::vector<std::jthread> sessions;
        for (unsigned i = 0; i < count; ++i)
            sessions.emplace_back([at_service = service.accept()]() mutable {
                for (auto part = at_service.receive(10'000); !part.empty(); part = at_service.receive(10'000))
                    at_service.send(part);
                at_service.shut_down_writing();
            });
    });
    std::vector<std::jthread> clients;
    for (unsigned i = 0; i < count; ++i)
        clients.emplace_back([this, i] {
            auto client = connect();
            const auto text = pattern(200'000, 100 + i);
            expect_delivered(client, client, text);
        });
    clients.clear();
}

// Every refusal: the client is dropped at once, and the log says which leg, why and what to do.

class Refusal : public TunnelTest {
 protected:
    void expect_refusal(const service::ServiceProxyConfig& config, const std::string& code, const std::string& leg) {
        proxy->stop();
        start_proxy(config);
        auto client = connect();
        const auto begun = std::chrono::steady_clock::now();
        EXPECT_EQ(client.how_it_ends(), "reset");
        EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s);
        EXPECT_TRUE(eventually_logged("warning no stream: " + code)) << logged();
        EXPECT_TRUE(eventually_logged("leg=" + leg)) << logged();
    }
    service::ServiceProxyConfig config_for(const std::string& device_id, const std::string& service_name) {
        auto config = proxy_config();
        config.forwards = {forward_to(device_id, service_name)};
        config.open.connect = 2s;
        return config;
    }
};

TEST_F(Refusal, WrongKey) {
    expect_refusal(proxy_config("bm90IHRoZSByaWdodCBrZXk="), "DS-301", "hub");
}

TEST_F(Refusal, UnknownDevice) {
    expect_refusal(config_for("ghost", "ssh"), "DS-302", "hub");
}

TEST_F(Refusal, DeviceOffline) {
    auto config = config_for("sleeper", "ssh");
    config.open.connect = 0s;
    expect_refusal(config, "DS-303", "device");
}

TEST_F(Refusal, UnknownService) {
    expect_refusal(config_for("pump-17", "telnet"), "DS-305", "device");
}

TEST_F(Refusal, LocalServiceClosed) {
    expect_refusal(config_for("pump-17", "closed"), "DS-305", "device");
}

TEST_F(Refusal, LeavesOtherStreamsAlone) {
    auto config = proxy_config();
    config.forwards.push_back(forward_to("ghost", "ssh"));
    proxy->stop();
    start_proxy(config);
    auto [client, at_service] = open_stream();
    auto refused = BlockingSocket::connect((*proxy)->endpoints().at(1));
    EXPECT_EQ(refused.how_it_ends(), "reset");
    at_service.send("still here");
    EXPECT_EQ(client.receive(10), "still here");
}

TEST_F(ServiceProxyTest, HubThatGoesAndComesBackIsUsedAgain) {
    auto [client, at_service] = open_stream();
    hub->stop();
    EXPECT_EQ(client.how_it_ends(), "reset");
    EXPECT_EQ(at_service.how_it_ends(), "reset");
    auto unlucky = connect();
    EXPECT_EQ(unlucky.how_it_ends(), "reset");
    EXPECT_TRUE(eventually_logged("no stream: DS-201")) << logged();
    start_hub();
    auto again = open_stream();
    again.service.send("back");
    EXPECT_EQ(again.client.receive(4), "back");
}

TEST_F(ServiceProxyTest, RunningStreamsSurviveTheLossOfTheirDevicesLink) {
    auto [client, at_service] = open_stream();
    device->on_control([](device::DeviceProxy& program) { program.stop_accepting(); });
    client.send("y");
    EXPECT_EQ(at_service.receive(1), "y");
}

}  // namespace
}  // namespace device_streams::test
