#include "common/iothub/errors.hpp"
#include "tests/component/support/hub_fixture.hpp"
#include "tests/support/pattern.hpp"

// The behaviours that clients of Azure IoT device streams rely on, one test or group of tests each.
namespace device_streams::hub {
namespace {

using ws::Opcode;

using test::pattern;

class HubBehaviour : public HubTest {
 protected:
    HubBehaviour() {
        config.limits.relay.linger = 2s;
        start_hub();
    }
    // Sends back what comes until `size` bytes came.
    static asio::awaitable<void> echo(hub_clients::LegClient& leg, std::size_t size, std::size_t message) {
        for (std::size_t done = 0; done < size;) {
            auto data = co_await leg.receive_data(1);
            done += data.size();
            co_await leg.send_data(std::move(data), message);
        }
    }
    static asio::awaitable<void> send_empty(hub_clients::LegClient& leg, int messages) {
        for (int i = 0; i < messages; ++i) co_await leg.send(Opcode::binary, "");
    }
    void expect_echo(std::size_t message) {
        const auto device = online_device();
        const auto service = service_client();
        const auto legs = joined_stream(*device, *service);
        const auto sent = pattern(300'000);
        test::Running<void> echoing(io, echo(*legs.device, sent.size(), message));
        test::Running<void> sending(io, legs.service->send_data(sent, message));
        EXPECT_EQ(run(legs.service->receive_data(sent.size())), sent);
        EXPECT_LE(legs.service->largest_frame, 65'536u);
    }
    void expect_early_data(bool device_first) {
        const auto device = online_device();
        const auto service = service_client();
        const auto tickets = open_stream(*device, *service);
        const auto sent = pattern(100 * 1024);
        const auto first = open_leg(device_first ? tickets.device : tickets.service);
        run(first->send_data(sent, 8192));
        const auto second = open_leg(device_first ? tickets.service : tickets.device);
        EXPECT_EQ(run(second->receive_data(sent.size())), sent);
        run(second->send(Opcode::binary, "and back"));
        EXPECT_EQ(run(first->receive_data(8)), "and back");
    }
    /// What a service hears when the device answers its request with `status`.
    http::Response response_to(int status) {
        const auto device = online_device();
        const auto service = service_client();
        auto asking = start(service->ask("dev-01", "ssh.0a1b2c3d", no_wait));
        run(device->answer(status, run(device->next_request()).request_id));
        return finish(asking);
    }
    http::Response open_with(const hub_clients::LegClient::Wish& wish) {
        const auto device = online_device();
        const auto service = service_client();
        const auto tickets = open_stream(*device, *service);
        hub_clients::LegClient leg(address);
        return run(leg.open(tickets.device, wish));
    }
};

// 1
TEST_F(HubBehaviour, RequestIsAnsweredBeforeAnyLegIsThere) {
    const auto response = response_to(200);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.headers.find("iothub-streaming-is-accepted"), "True");
    EXPECT_EQ(response.body, "");
    const auto url = iothub::parse_stream_url(hub_clients::ticket_of(response).url);
    ASSERT_TRUE(url);
    EXPECT_EQ(url->port, address.port);
    EXPECT_TRUE(url->target.starts_with("/bridges/ih/hub1/d/dev-01/sid/")) << url->target;
    EXPECT_TRUE(url->target.ends_with("/r/service"));
}

TEST_F(HubBehaviour, RejectionIsTwoHundredWithFalse) {
    const auto response = response_to(400);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.headers.find("iothub-streaming-is-accepted"), "False");
    EXPECT_FALSE(response.headers.find("iothub-streaming-url"));
    EXPECT_FALSE(response.headers.find("iothub-streaming-auth-token"));
}

// 2
TEST_F(HubBehaviour, DeviceLegIsAdmittedBeforeTheAccept) {
    const auto device = online_device();
    const auto service = service_client();
    auto asking = start(service->ask("dev-01", "ssh.0a1b2c3d", no_wait));
    const auto request = run(device->next_request());
    const auto device_leg = open_leg({request.url, request.token});
    run(device_leg->send(Opcode::binary, "SSH-2.0-x\r\n"));
    run(device->answer(200, request.request_id));
    const auto service_leg = open_leg(hub_clients::ticket_of(finish(asking)));
    EXPECT_EQ(run(service_leg->receive_data(11)), "SSH-2.0-x\r\n");
}

// 3
TEST_F(HubBehaviour, WhatTheServiceSendsFirstIsDeliveredWhole) {
    expect_early_data(false);
}
TEST_F(HubBehaviour, WhatTheDeviceSendsFirstIsDeliveredWhole) {
    expect_early_data(true);
}

// 4
TEST_F(HubBehaviour, EchoInMessagesOf64Bytes) {
    expect_echo(64);
}
TEST_F(HubBehaviour, EchoInMessagesOf65536Bytes) {
    expect_echo(65'536);
}

// 5
TEST_F(HubBehaviour, LongMessageIsForwardedInPieces) {
    const auto device = online_device();
    const auto service = service_client();
    const auto legs = joined_stream(*device, *service);
    const auto sent = pattern(200 * 1024);
    test::Running<void> sending(io, legs.service->send_data(sent, sent.size()));
    EXPECT_EQ(run(legs.device->receive_data(sent.size())), sent);
    EXPECT_LE(legs.device->largest_frame, 65'536u);
}

// 6
TEST_F(HubBehaviour, EndlessEmptyMessagesEndOneDirectionOnly) {
    const auto device = online_device();
    const auto service = service_client();
    const auto legs = joined_stream(*device, *service);
    const auto sent = pattern(300'000);
    test::Running<void> flooding(io, send_empty(*legs.service, 1000));
    test::Running<void> sending(io, legs.device->send_data(sent, 4096));
    EXPECT_EQ(run(legs.service->receive_data(sent.size())), sent);
    auto closing = start(legs.device->close_code());
    EXPECT_EQ(run(legs.service->close_code()), 1000);
    EXPECT_EQ(finish(closing), 1000);
    EXPECT_TRUE(eventually_logged("stream ended")) << whole_log();
}

// 7
TEST_F(HubBehaviour, BothSidesCloseAtOnceAndBothGetAClose) {
    const auto device = online_device();
    const auto service = service_client();
    const auto legs = joined_stream(*device, *service);
    run(legs.service->send_close(1000));
    run(legs.device->send_close(1000));
    EXPECT_EQ(run(legs.service->close_code()), 1000);
    EXPECT_EQ(run(legs.device->close_code()), 1000);
    EXPECT_TRUE(run(legs.service->is_over()));
    EXPECT_TRUE(run(legs.device->is_over()));
}

// 8
TEST_F(HubBehaviour, LastMessageBeforeCloseArrives) {
    for (const std::optional<int> code : {std::optional<int>(1000), std::optional<int>()}) {
        const auto device = online_device();
        const auto service = service_client();
        const auto legs = joined_stream(*device, *service);
        run(legs.device->send(Opcode::binary, "the last words"));
        run(legs.device->send_close(code));
        EXPECT_EQ(run(legs.service->receive_data(14)), "the last words");
        auto closing = start(legs.service->close_code());
        EXPECT_EQ(finish(closing), 1000);
        run(legs.service->send_close(1000));
        EXPECT_EQ(run(legs.device->close_code()), code.value_or(0));
    }
}

// 9
TEST_F(HubBehaviour, ResetOfOneSideIsTold1011ToTheOther) {
    const auto device = online_device();
    const auto service = service_client();
    const auto legs = joined_stream(*device, *service);
    run(legs.service->send(Opcode::binary, "x"));
    EXPECT_EQ(run(legs.device->receive_data(1)), "x");
    legs.device->reset();
    const auto close = run(legs.service->receive_close());
    EXPECT_EQ(close.close_code(), 1011);
    EXPECT_EQ(close.close_reason(), "WS disconnected");
}

TEST_F(HubBehaviour, SideThatVanishesIsTold1011ToTheOther) {
    const auto device = online_device();
    const auto service = service_client();
    const auto legs = joined_stream(*device, *service);
    legs.service->vanish();
    EXPECT_EQ(run(legs.device->receive_close()).close_code(), 1011);
}

// 10
TEST_F(HubBehaviour, CompressionIsNotNegotiated) {
    const auto answer = open_with({{}, {{"Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"}}});
    EXPECT_EQ(answer.status, 101);
    EXPECT_FALSE(answer.headers.find("Sec-WebSocket-Extensions"));
}

// 11
TEST_F(HubBehaviour, OfferedSubprotocolIsEchoed) {
    const auto answer = open_with({"MQTT", {}});
    EXPECT_EQ(answer.status, 101);
    EXPECT_EQ(answer.headers.find("Sec-WebSocket-Protocol"), "MQTT");
}
TEST_F(HubBehaviour, NoSubprotocolComesBackUnasked) {
    const auto answer = open_with({});
    EXPECT_EQ(answer.status, 101);
    EXPECT_FALSE(answer.headers.find("Sec-WebSocket-Protocol"));
}

// 12
TEST_F(HubBehaviour, StaleAcceptIsIgnored) {
    const auto device = online_device();
    run(device->answer(200, "4711"));
    const auto service = service_client();
    const auto legs = joined_stream(*device, *service);
    run(legs.service->send(Opcode::binary, "still fine"));
    EXPECT_EQ(run(legs.device->receive_data(10)), "still fine");
}

// 15
TEST_F(HubBehaviour, TokensInEveryFieldOrderLogIn) {
    const std::string token(device_token({"dev-01", {}}, device_key).reveal());
    std::vector<std::string> fields;
    std::string rest = token.substr(std::string("SharedAccessSignature ").size()) + "&";
    for (std::size_t end = 0; (end = rest.find('&')) != std::string::npos; rest.erase(0, end + 1))
        fields.push_back(rest.substr(0, end));
    ASSERT_EQ(fields.size(), 3u);
    std::ranges::sort(fields);
    do {
        auto options = device_options();
        options.token = Secret("SharedAccessSignature " + fields[0] + "&" + fields[1] + "&" + fields[2]);
        hub_clients::DeviceClient device(address, options);
        EXPECT_EQ(run(device.log_in()), 0) << fields[0].substr(0, 3) << fields[1].substr(0, 3);
    } while (std::ranges::next_permutation(fields).found);
}

// 16
TEST_F(HubBehaviour, TwinSubscriptionIsAcknowledged) {
    hub_clients::DeviceClient device(address, device_options());
    EXPECT_EQ(run(device.log_in()), 0);
    run(device.send(mqtt::Subscribe{1, {{"$iothub/twin/res/#", 0}}}));
    EXPECT_EQ(run(device.expect<mqtt::SubAck>()).codes, std::vector<std::uint8_t>{0});
}

// 17
TEST_F(HubBehaviour, TwoStreamsOfTheSameNameStayApart) {
    const auto device = online_device();
    const auto service = service_client();
    const auto one = open_stream(*device, *service, "TestStream");
    const auto two = open_stream(*device, *service, "TestStream");
    const auto service_two = open_leg(two.service), service_one = open_leg(one.service);
    const auto device_one = open_leg(one.device), device_two = open_leg(two.device);
    run(service_one->send(Opcode::binary, "one"));
    run(service_two->send(Opcode::binary, "two"));
    EXPECT_EQ(run(device_one->receive_data(3)), "one");
    EXPECT_EQ(run(device_two->receive_data(3)), "two");
}

// 18: the hub does not ping a foreign device at all, TCP keep-alive watches its legs. That no Ping comes later either
// is shown by HubLegOptions.
TEST_F(HubBehaviour, NoPingFollowsDataTowardsADevice) {
    const auto device = online_device();
    const auto service = service_client();
    const auto legs = joined_stream(*device, *service);
    for (int i = 0; i < 50; ++i) {
        run(legs.service->send(Opcode::binary, "data"));
        EXPECT_EQ(run(legs.device->receive_data(4)), "data");
    }
    run(legs.service->send_close(1000));
    EXPECT_EQ(run(legs.device->close_code()), 1000);
    EXPECT_EQ(legs.device->pings, 0);
}

// Pings of clients are answered by the hub and not relayed; unsolicited Pongs are accepted.
TEST_F(HubBehaviour, PingIsAnsweredByTheHub) {
    const auto device = online_device();
    const auto service = service_client();
    const auto legs = joined_stream(*device, *service);
    run(legs.service->send(Opcode::pong, ""));
    run(legs.service->send(Opcode::ping, "abc"));
    const auto answer = run(legs.service->receive());
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->header.opcode, Opcode::pong);
    EXPECT_EQ(answer->payload.size(), 3u);
    run(legs.service->send(Opcode::binary, "x"));
    EXPECT_EQ(run(legs.device->receive_data(1)), "x");
    EXPECT_EQ(legs.device->pings, 0);
}

// 13
TEST_F(HubBehaviour, SecondConnectDropsTheFirstAndStreamsGoOn) {
    const auto first = online_device();
    const auto service = service_client();
    const auto legs = joined_stream(*first, *service);
    const auto second = online_device();
    EXPECT_TRUE(run(first->is_dropped()));
    EXPECT_TRUE(eventually_logged("DS-606")) << whole_log();
    run(legs.service->send(Opcode::binary, "on and on"));
    EXPECT_EQ(run(legs.device->receive_data(9)), "on and on");
    joined_stream(*second, *service);
}

// 14
TEST_F(HubBehaviour, OfflineDeviceGetsTheRequestOnceItHasSubscribed) {
    const auto service = service_client();
    auto asking =
        start(service->ask("dev-01", "ssh.0a1b2c3d", {{"iothub-streaming-connect-timeout-in-seconds", "10.5"}}));
    ASSERT_EQ(run(service_client()->ask("dev-01", "probe", no_wait)).status, 404) << "the hub knows: it is offline";
    const auto device = online_device();
    const auto request = run(device->next_request());
    EXPECT_EQ(request.name, "ssh.0a1b2c3d");
    run(device->answer(200, request.request_id));
    EXPECT_EQ(finish(asking).status, 200);
}

// 12, the second half, and what else the deadline of a stream request ends.
class HubDeadline : public HubTest {
 protected:
    HubDeadline() {
        config.limits.pairing.handshake_timeout = 1s;
        start_hub();
    }
};

TEST_F(HubDeadline, LegThatComesTooLateIsRefused) {
    const auto device = online_device();
    const auto service = service_client();
    const auto tickets = open_stream(*device, *service);
    const auto waiting = open_leg(tickets.service);
    const auto close = run(waiting->receive_close());
    EXPECT_EQ(close.close_code(), 1011);
    EXPECT_EQ(close.close_reason(), "WS disconnected");
    hub_clients::LegClient late(address);
    const auto status = run(late.open(tickets.device)).status;
    EXPECT_TRUE(status == 404 || status == 401) << status;
    EXPECT_TRUE(eventually_logged("DS-607")) << whole_log();
}

TEST_F(HubDeadline, SilentDeviceIsA504WithItsCode) {
    const auto device = online_device();
    const auto service = service_client();
    const auto response =
        run(service->ask("dev-01", "ssh.0a1b2c3d", {{"iothub-streaming-response-timeout-in-seconds", "0.1"}}));
    EXPECT_EQ(response.status, 504);
    EXPECT_EQ(response.headers.find("iothub-errorcode"), "GatewayTimeout");
    EXPECT_EQ(iothub::parse_error(response.body, "").code, 504101);
    const auto request = run(device->next_request());
    run(device->answer(200, request.request_id));
    hub_clients::LegClient late(address);
    EXPECT_EQ(run(late.open({request.url, request.token})).status, 404);
}

TEST_F(HubDeadline, HandshakeTimeoutCapsTheWaitForADevice) {
    const auto service = service_client();
    const auto response = run(service->ask("dev-01", "ssh.0a1b2c3d",
                                           {{"iothub-streaming-connect-timeout-in-seconds", "60"},
                                            {"iothub-streaming-response-timeout-in-seconds", "60"}}));
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(response.headers.find("iothub-errorcode"), "DeviceNotOnline");
}

}  // namespace
}  // namespace device_streams::hub
