#include "tests/component/support/blocking_socket.hpp"
#include "tests/component/support/hub_under_attack.hpp"

// Strangers and broken peers: each gets a clear end, one line in the log, and nobody else notices.
namespace device_streams::hub {
namespace {

using test::BlockingSocket;
using HubBadInput = HubUnderAttack;

// Without TLS so far.
BlockingSocket connect_to(std::uint16_t port) {
    return BlockingSocket::connect({.host = "127.0.0.1", .port = port, .path = {}});
}

TEST_F(HubBadInput, GarbageInsteadOfTls) {
    for (const auto port : {address.port, address.mqtt_port}) {
        auto socket = connect_to(port);
        socket.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        socket.how_it_ends();
    }
    EXPECT_TRUE(eventually_logged("DS-605")) << whole_log();
}

TEST_F(HubBadInput, ConnectionThatEndsDuringTls) {
    {
        auto socket = connect_to(address.port);
        socket.send("\x16\x03\x01");
    }
    EXPECT_TRUE(eventually_logged("DS-605")) << whole_log();
}

TEST_F(HubBadInput, HeadWithoutEnd) {
    const auto answer = answer_to("GET /" + std::string(20'000, 'a'), address.port);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 431 ") || answer.starts_with("HTTP/1.1 414 ")) << answer.substr(0, 80);
    EXPECT_TRUE(eventually_logged("DS-60")) << whole_log();
}

TEST_F(HubBadInput, SecondConnectOnALink) {
    hub_clients::DeviceClient device(address, device_options());
    ASSERT_EQ(run(device.log_in()), 0);
    mqtt::Connect again;
    again.client_id = "dev-01";
    run(device.send(again));
    EXPECT_TRUE(run(device.is_dropped()));
}

TEST_F(HubBadInput, HugeTopicOnALink) {
    const auto device = online_device();
    mqtt::Publish publish;
    publish.topic = "$iothub/streams/res/200/?$rid=" + std::string(65'000, '1');
    run(device->send(publish));
    run(device->subscribe());
}

TEST_F(HubBadInput, FramesAfterTheUpgradeOfAStrangerAreNotReached) {
    hub_clients::LegClient leg(address);
    const auto url = "wss://localhost:" + std::to_string(address.port) +
                     "/bridges/ih/hub1/d/dev-01/sid/0f1e2d3c4b5a69788796a5b4c3d2e1f0/r/device";
    EXPECT_EQ(run(leg.open({url, Secret("eyJ0.eyJ0.xxxx")})).status, 401);
    EXPECT_TRUE(eventually_logged("DS-601")) << whole_log();
}

// Time.

class HubSlowPeers : public HubTest {
 protected:
    HubSlowPeers() {
        config.limits.connections.tls_timeout = config.limits.connections.head_timeout = 300ms;
        config.limits.connections.idle_timeout = 300ms;
        config.limits.connections.connections_per_address = 3;
        start_hub();
    }
};

TEST_F(HubSlowPeers, TlsThatStallsIsEnded) {
    auto silent = connect_to(address.port);
    silent.how_it_ends();
    EXPECT_FALSE(logged("DS-604")) << "a connection that says nothing is a probe";
    auto socket = connect_to(address.port);
    socket.send("\x16\x03\x01");
    socket.how_it_ends();
    EXPECT_TRUE(eventually_logged("DS-604")) << whole_log();
}

TEST_F(HubSlowPeers, ConnectThatNeverComesIsEnded) {
    hub_clients::DeviceClient device(address, device_options());
    run(device.connect());
    EXPECT_TRUE(run(device.is_dropped()));
    EXPECT_TRUE(eventually_logged("no CONNECT came in time")) << whole_log();
}

TEST_F(HubSlowPeers, HeadThatNeverEndsIsEnded) {
    const auto stream = run(hub_clients::dial_tls(address, address.port));
    run(write_text(*stream, "GET / HTTP/1.1\r\nHost:"));
    std::array<std::byte, 16> room;
    EXPECT_EQ(run(stream->read_some(room)), 0u);
    EXPECT_TRUE(eventually_logged("DS-604")) << whole_log();
}

TEST_F(HubSlowPeers, IdleConnectionIsEndedQuietly) {
    const auto stream = run(hub_clients::dial_tls(address, address.port));
    std::array<std::byte, 16> room;
    EXPECT_EQ(run(stream->read_some(room)), 0u);
    EXPECT_FALSE(logged("DS-6")) << whole_log();
}

TEST_F(HubSlowPeers, ConnectionsOfOneAddressAreLimitedBeforeLogin) {
    std::vector<BlockingSocket> strangers;
    for (int i = 0; i < 4; ++i) strangers.push_back(connect_to(address.port));
    EXPECT_TRUE(eventually_logged("too many connections without login")) << whole_log();
}

TEST_F(HubSlowPeers, DevicesThatLoggedInAreNotCounted) {
    std::vector<std::unique_ptr<hub_clients::DeviceClient>> devices;
    for (int i = 0; i < 5; ++i) {
        auto options = device_options();
        options.target.device_id = "dev-1" + std::to_string(i);
        options.token = device_token(options.target, add_device(options.target));
        devices.push_back(online_device(options));
    }
    EXPECT_FALSE(logged("too many connections")) << whole_log();
}

class HubWithUnreadAnswers : public HubTest {
 protected:
    HubWithUnreadAnswers() {
        config.limits.connections.head_timeout = 2s;  // also for the requests, whose sender must not be too slow
        start_hub();
    }
};

#ifndef __SANITIZE_ADDRESS__  // there it takes minutes until megabytes of answers fill the way back
TEST_F(HubWithUnreadAnswers, PeerThatReadsNoneIsEnded) {
    int fd = -1;
    const auto stream = run(hub_clients::dial_tls(address, address.port, &fd));
    const int little = 64 * 1024;
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    std::string requests;
    for (int i = 0; i < 50'000; ++i) requests += "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    try {
        run(write_text(*stream, requests));
    } catch (const StreamError&) {
        // The hub was quicker than the buffers.
    }
    // On a slow machine the sender itself may be too slow, before its answers fill the way back.
    const auto is_ended = [this] {
        return logged("it does not read its answer") || logged("its request was not complete in time");
    };
    EXPECT_TRUE(test::eventually(is_ended)) << whole_log();
}
#endif

class HubWithRoomForOneStranger : public HubTest {
 protected:
    HubWithRoomForOneStranger() {
        config.limits.connections.connections_per_address = 1;
        start_hub();
    }
};

TEST_F(HubWithRoomForOneStranger, ServiceThatWantsToBecomeALinkIsAStrangerAgain) {
    const auto service = service_client();
    EXPECT_EQ(run(service->ask("dev-01", "ssh.0a1b2c3d")).status, 404);
    hub_clients::DeviceClient device(address, device_options());
    const auto upgrade = [&] {
        run(device.connect_on(service->connection()));
        return device.upgrade_answer.status;
    };
    const auto stranger = run(hub_clients::dial_tls(address, address.port));
    EXPECT_EQ(upgrade(), 101);
    EXPECT_TRUE(eventually_logged("too many connections without login")) << "the stranger has made room";
    EXPECT_EQ(run(device.log_in_here()), 0);
}

}  // namespace
}  // namespace device_streams::hub
