#include "tests/component/support/blocking_socket.hpp"
#include "tests/component/support/hub_fixture.hpp"

// Strangers and broken peers: each gets a clear end, one line in the log, and nobody else notices.
namespace device_streams::hub {
namespace {

using test::BlockingSocket;
using ws::Opcode;

class HubBadInput : public HubTest {
 protected:
    HubBadInput() { start_hub(); }
    ~HubBadInput() override {
        // Whatever a test did, a stream can be opened.
        const auto device = online_device();
        const auto service = service_client();
        const auto legs = joined_stream(*device, *service);
        run(legs.service->send(Opcode::binary, "alive"));
        EXPECT_EQ(run(legs.device->receive_data(5)), "alive");
    }
    BlockingSocket connect_plain(std::uint16_t port) {
        return BlockingSocket::connect({.host = "127.0.0.1", .port = port, .path = {}});
    }
    // What the hub says to `text` on a fresh TLS connection, until it ends the connection.
    asio::awaitable<std::string> say(std::string text, std::uint16_t port) {
        const auto stream = co_await hub_clients::dial_tls(address, port);
        std::string answer;
        try {
            co_await write_text(*stream, std::move(text));
            for (std::array<std::byte, 4096> room;;) {
                const auto size = co_await stream->read_some(room);
                if (size == 0) break;
                answer.append(reinterpret_cast<const char*>(room.data()), size);
            }
        } catch (const StreamError&) {
            // Cut off: what came before counts.
        }
        co_return answer;
    }
    std::string answer_to(std::string text) { return run(say(std::move(text), address.port)); }
    std::unique_ptr<hub_clients::DeviceClient> logged_in() {
        auto device = std::make_unique<hub_clients::DeviceClient>(address, device_options());
        EXPECT_EQ(run(device->log_in()), 0);
        return device;
    }
    void expect_stream_ends(std::string_view log, int code_for_other,
                            asio::awaitable<void> (*misbehave)(hub_clients::LegClient&)) {
        const auto device = online_device();
        const auto service = service_client();
        const auto legs = joined_stream(*device, *service);
        run(misbehave(*legs.service));
        EXPECT_EQ(run(legs.service->close_code()), 1002);
        EXPECT_EQ(run(legs.device->close_code()), code_for_other);
        EXPECT_TRUE(eventually_logged(log)) << whole_log();
    }
};

TEST_F(HubBadInput, GarbageInsteadOfTls) {
    for (const auto port : {address.port, address.mqtt_port}) {
        auto socket = connect_plain(port);
        socket.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        socket.how_it_ends();
    }
    EXPECT_TRUE(eventually_logged("DS-605")) << whole_log();
}

TEST_F(HubBadInput, ConnectionThatEndsDuringTls) {
    {
        auto socket = connect_plain(address.port);
        socket.send("\x16\x03\x01");
    }
    EXPECT_TRUE(eventually_logged("DS-605")) << whole_log();
}

TEST_F(HubBadInput, GarbageInsteadOfHttp) {
    const auto answer = answer_to("\x16\x03\x01 no HTTP at all\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
    EXPECT_TRUE(eventually_logged("DS-602")) << whole_log();
}

TEST_F(HubBadInput, HeadWithoutEnd) {
    const auto answer = answer_to("GET /" + std::string(20'000, 'a'));
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 431 ") || answer.starts_with("HTTP/1.1 414 ")) << answer.substr(0, 80);
    EXPECT_TRUE(eventually_logged("DS-60")) << whole_log();
}

TEST_F(HubBadInput, ContradictoryLengths) {
    const auto answer = answer_to(
        "POST /twins/dev-01/streams/x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
}

TEST_F(HubBadInput, OversizeBody) {
    const auto answer =
        answer_to("POST /twins/dev-01/streams/x HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 ")) << answer;
    EXPECT_TRUE(eventually_logged("DS-603")) << whole_log();
}

// Nobody has logged in yet, and no request has a use for a body.
TEST_F(HubBadInput, BodyOfSomeKibibytes) {
    const std::string head = "POST /twins/dev-01/streams/x HTTP/1.1\r\nHost: x\r\nContent-Length: ";
    EXPECT_TRUE(answer_to(head + "2\r\nConnection: close\r\n\r\n{}").starts_with("HTTP/1.1 401 "));
    EXPECT_TRUE(answer_to(head + "5000\r\n\r\n").starts_with("HTTP/1.1 413 "));
}

// MQTT.

TEST_F(HubBadInput, GarbageInsteadOfMqtt) {
    EXPECT_EQ(run(say(std::string("\xff\xff\xff\xff\xff\xff garbage", 14), address.mqtt_port)), "");
    EXPECT_TRUE(eventually_logged("DS-602")) << whole_log();
}

TEST_F(HubBadInput, OtherMqttVersionIsAnsweredWithOne) {
    // MQTT 5, client id "a".
    const std::string connect(
        "\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01"
        "a",
        16);
    EXPECT_EQ(run(say(connect, address.mqtt_port)), std::string("\x20\x02\x00\x01", 4));
}

TEST_F(HubBadInput, OversizeFirstPacket) {
    EXPECT_EQ(run(say(std::string("\x10\xff\xff\xff\x7f", 5), address.mqtt_port)), "");
    EXPECT_TRUE(eventually_logged("DS-602")) << whole_log();
}

TEST_F(HubBadInput, GarbageOnALink) {
    const auto device = logged_in();
    run(device->send_raw(std::string("\xf0\x00", 2)));
    EXPECT_TRUE(run(device->is_dropped()));
    EXPECT_TRUE(eventually_logged("device link down device=dev-01")) << whole_log();
    EXPECT_TRUE(logged("DS-602")) << whole_log();
}

TEST_F(HubBadInput, SecondConnectOnALink) {
    const auto device = logged_in();
    mqtt::Connect again;
    again.client_id = "dev-01";
    run(device->send(again));
    EXPECT_TRUE(run(device->is_dropped()));
}

TEST_F(HubBadInput, OversizePacketOnALink) {
    const auto device = logged_in();
    run(device->send_raw(std::string("\x30\xff\xff\xff\x7f", 5)));
    EXPECT_TRUE(run(device->is_dropped()));
}

TEST_F(HubBadInput, HugeTopicOnALink) {
    const auto device = logged_in();
    mqtt::Publish publish;
    publish.topic = "$iothub/streams/res/200/?$rid=" + std::string(65'000, '1');
    run(device->send(publish));
    run(device->subscribe());
}

// WebSocket.

TEST_F(HubBadInput, UnmaskedFrameOnALeg) {
    expect_stream_ends("protocol violation", 1002,
                       [](hub_clients::LegClient& leg) { return leg.send_raw(std::string("\x82\x01x", 3)); });
}

TEST_F(HubBadInput, ReservedBitsOnALeg) {
    expect_stream_ends("protocol violation", 1002, [](hub_clients::LegClient& leg) {
        return leg.send_raw(std::string("\xf2\x80\x01\x02\x03\x04", 6));
    });
}

TEST_F(HubBadInput, EndlessFrameLengthOnALeg) {
    expect_stream_ends("protocol violation", 1002, [](hub_clients::LegClient& leg) {
        return leg.send_raw(std::string("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02\x03\x04", 14));
    });
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
    auto silent = BlockingSocket::connect({.host = "127.0.0.1", .port = address.port, .path = {}});
    silent.how_it_ends();
    EXPECT_FALSE(logged("DS-604")) << "a connection that says nothing is a probe";
    auto socket = BlockingSocket::connect({.host = "127.0.0.1", .port = address.port, .path = {}});
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
    for (int i = 0; i < 4; ++i)
        strangers.push_back(BlockingSocket::connect({.host = "127.0.0.1", .port = address.port, .path = {}}));
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
