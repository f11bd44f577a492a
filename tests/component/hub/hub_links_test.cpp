#include "tests/component/support/hub_fixture.hpp"

#include <regex>
#include <thread>

// Links of devices: logins, takeovers, reconnects and removal.
namespace device_streams::hub {
namespace {

class HubLinks : public HubTest {
 protected:
    HubLinks() { start_hub(); }
    int code_for(hub_clients::DeviceClient::Options options) {
        hub_clients::DeviceClient device(address, std::move(options));
        return run(device.log_in());
    }
    // Accepts whatever is asked for until the hub ends the link.
    static asio::awaitable<void> accept_all(hub_clients::DeviceClient& device) {
        for (;;) {
            const auto packet = co_await device.next();
            if (!packet) co_return;
            const auto* publish = std::get_if<mqtt::Publish>(&*packet);
            if (publish == nullptr) continue;
            const auto request = iothub::parse_request_topic(publish->topic);
            try {
                co_await device.answer(200, request.value().request_id);
            } catch (const StreamError&) {
                co_return;  // the link went while it answered: the request comes again on the next
            }
        }
    }
};

TEST_F(HubLinks, LinkOverWebSocketEchoesTheSpellingOfTheSubprotocol) {
    for (const char* spelling : {"mqtt", "MQTT"}) {
        auto options = device_options();
        options.over_websocket = true;
        options.subprotocol = spelling;
        const auto device = online_device(options);
        EXPECT_EQ(device->upgrade_answer.headers.find("Sec-WebSocket-Protocol"), spelling);
        const auto service = service_client();
        open_stream(*device, *service);
    }
}

TEST_F(HubLinks, LinkOverWebSocketThatADeviceEndsIsClosedCleanly) {
    auto options = device_options();
    options.over_websocket = true;
    const auto device = online_device(options);
    run(device->send(mqtt::Disconnect{}));
    std::array<std::byte, 16> room;
    EXPECT_EQ(run(device->stream().read_some(room)), 0u) << "anything but Close 1000 would be thrown";
    EXPECT_TRUE(eventually_logged("reason=the device disconnected")) << whole_log();
}

TEST_F(HubLinks, OtherSubprotocolIsRefused) {
    auto options = device_options();
    options.over_websocket = true;
    options.subprotocol = "soap";
    hub_clients::DeviceClient device(address, options);
    EXPECT_ANY_THROW(run(device.connect()));
    EXPECT_EQ(device.upgrade_answer.status, 400);
}

TEST_F(HubLinks, AmqpOverWebSocketIsRefusedAndItsOwnerToldWhatToDo) {
    auto options = device_options();
    options.over_websocket = true;
    options.subprotocol = "AMQPWSB10";
    hub_clients::DeviceClient device(address, options);
    EXPECT_ANY_THROW(run(device.connect()));
    EXPECT_EQ(device.upgrade_answer.status, 501);
    EXPECT_TRUE(eventually_logged("code=DS-613")) << whole_log();
}

TEST_F(HubLinks, AmqpOnAnyPortIsLoggedWithWhatToDo) {
    using namespace std::string_literals;
    for (const auto& [port, line] : {std::pair(address.port, "it speaks AMQP, and not HTTP"),
                                     std::pair(address.mqtt_port, "it speaks AMQP, and not MQTT")}) {
        const auto stream = run(hub_clients::dial_tls(address, port));
        run(write_text(*stream, "AMQP\3\1\0\0"s));
        EXPECT_TRUE(eventually_logged(line)) << whole_log();
    }
    EXPECT_TRUE(logged("code=DS-613")) << whole_log();
    EXPECT_FALSE(logged("code=DS-602")) << whole_log();
}

// A service that was let in and then speaks for a device proves nothing about the device.
TEST_F(HubLinks, ConnectionOfAServiceMayBecomeALink) {
    const auto service = service_client();
    EXPECT_EQ(run(service->ask("dev-01", "ssh.0a1b2c3d")).status, 404);
    hub_clients::DeviceClient device(address, device_options());
    run(device.connect_on(service->connection()));
    ASSERT_EQ(device.upgrade_answer.status, 101);
    EXPECT_EQ(run(device.log_in_here()), 0);
}

TEST_F(HubLinks, ModuleTakesItsOwnStreams) {
    const iothub::Target module{"dev-01", "tunnel"};
    hub_clients::DeviceClient::Options options;
    options.target = module;
    options.token = device_token(module, add_device(module));
    const auto device = online_device(options);
    const auto service = service_client();
    auto asking = start(service->ask("dev-01/modules/tunnel", "ssh.0a1b2c3d", no_wait));
    const auto request = run(device->next_request());
    EXPECT_NE(request.url.find("/d/dev-01/m/tunnel/sid/"), std::string::npos) << request.url;
    run(device->answer(200, request.request_id));
    const auto service_leg = open_leg(hub_clients::ticket_of(finish(asking)));
    const auto device_leg = open_leg({request.url, request.token});
    run(device_leg->send(ws::Opcode::binary, "hello"));
    EXPECT_EQ(run(service_leg->receive_data(5)), "hello");
}

// Logins that must fail.

TEST_F(HubLinks, UnknownDeviceIsAnsweredWithFive) {
    auto options = device_options();
    options.target.device_id = "dev-02";
    options.token = device_token(options.target, device_key);
    EXPECT_EQ(code_for(options), 5);
    EXPECT_TRUE(eventually_logged("DS-601")) << whole_log();
}

TEST_F(HubLinks, WrongExpiredForeignAndTruncatedTokensAreAnsweredWithFive) {
    const auto resource = iothub::device_resource("localhost", "dev-01");
    const auto other_hub = iothub::device_resource("other.example", "dev-01");
    const auto now = clock.unix_seconds();
    const auto good = std::string(device_token({"dev-01", {}}, device_key).reveal());
    for (const Secret& token : {iothub::make_sas_token(resource, service_key, now + 3600),
                                iothub::make_sas_token(resource, device_key, now - 3600),
                                iothub::make_sas_token(other_hub, device_key, now + 3600),
                                Secret(good.substr(0, good.size() / 2)), Secret("x"), Secret()}) {
        auto options = device_options();
        options.token = token;
        EXPECT_EQ(code_for(options), 5);
    }
}

TEST_F(HubLinks, DisabledDeviceIsAnsweredWithFive) {
    background.wait_for(stream_hub().registry().set_enabled({"dev-01", {}}, false));
    EXPECT_EQ(code_for(device_options()), 5);
}

// Reconnects.

TEST_F(HubLinks, RequestThatWasLostWithItsLinkIsDeliveredAgain) {
    const auto first = online_device();
    const auto service = service_client();
    auto asking = start(service->ask("dev-01", "ssh.0a1b2c3d", no_wait));
    const auto lost = run(first->next_request());
    first->vanish();
    const auto second = online_device();
    const auto request = run(second->next_request());
    EXPECT_NE(request.request_id, lost.request_id);
    EXPECT_NE(request.url, lost.url);
    EXPECT_FALSE(request.token == lost.token);
    hub_clients::LegClient stale(address);
    EXPECT_EQ(run(stale.open({lost.url, lost.token})).status, 404) << "the old token is void";
    run(second->answer(200, request.request_id));
    EXPECT_EQ(finish(asking).status, 200);
}

TEST_F(HubLinks, AnswerOnTheNewLinkIsGoodOnceTheLegIsThere) {
    const auto first = online_device();
    const auto service = service_client();
    auto asking = start(service->ask("dev-01", "ssh.0a1b2c3d", no_wait));
    const auto request = run(first->next_request());
    const auto device_leg = open_leg({request.url, request.token});
    const auto second = online_device();
    run(second->answer(200, request.request_id));
    const auto service_leg = open_leg(hub_clients::ticket_of(finish(asking)));
    run(service_leg->send(ws::Opcode::binary, "x"));
    EXPECT_EQ(run(device_leg->receive_data(1)), "x");
}

TEST_F(HubLinks, WhatTheOldLinkHadDeliveredCountsAfterATakeover) {
    const auto service = service_client();
    auto first = online_device();
    for (int i = 0; i < 20; ++i) {
        auto asking = start(service->ask("dev-01", "ssh.0a1b2c3d", no_wait));
        const auto request = run(first->next_request());
        run(first->answer(200, request.request_id));
        auto second = online_device();
        const auto response = finish(asking);
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.headers.find("iothub-streaming-is-accepted"), "True");
        first = std::move(second);
    }
}

TEST_F(HubLinks, SubscribedDeviceStaysOnlineForAMomentAfterItsLinkDropped) {
    online_device()->vanish();
    ASSERT_TRUE(eventually_logged("device link down"));
    const auto service = service_client();
    auto asking = start(service->ask("dev-01", "ssh.0a1b2c3d", no_wait));
    const auto device = online_device();
    run(device->answer(200, run(device->next_request()).request_id));
    EXPECT_EQ(finish(asking).status, 200);
}

// A device that renews its token by reconnecting refuses no stream, even to services that do not wait.
TEST_F(HubLinks, TwoHundredOpensAcrossTwentyRenewalsNeverFail) {
    std::vector<std::unique_ptr<hub_clients::DeviceClient>> links;
    std::vector<std::unique_ptr<test::Running<void>>> accepting;
    const auto renew = [&] {
        links.push_back(online_device());
        accepting.push_back(std::make_unique<test::Running<void>>(io, accept_all(*links.back())));
    };
    renew();
    std::vector<std::unique_ptr<hub_clients::ServiceClient>> services;
    for (int i = 0; i < 5; ++i) services.push_back(service_client());
    for (int renewal = 0; renewal < 20; ++renewal) {
        for (int round = 0; round < 2; ++round) {
            std::vector<std::unique_ptr<test::Running<http::Response>>> asking;
            for (const auto& service : services)
                asking.push_back(start(service->ask("dev-01", "ssh.0a1b2c3d", no_wait)));
            if (round == 1) renew();
            for (auto& one : asking) {
                const auto response = finish(one);
                EXPECT_EQ(response.status, 200) << response.body;
                EXPECT_EQ(response.headers.find("iothub-streaming-is-accepted"), "True");
            }
        }
    }
    EXPECT_EQ(services[0]->connections, 1) << "all on one warm connection";
    while (!accepting[accepting.size() - 2]->done()) {
        io.restart();
        io.run_one();
    }
}

// Renewals and second machines.

TEST_F(HubLinks, LinkThatItsOwnProcessReplacesIsNoAlarm) {
    const auto options = device_proxy_options();
    const auto first = online_device(options);
    const auto second = online_device(options);
    EXPECT_TRUE(run(first->is_dropped()));
    EXPECT_TRUE(eventually_logged("reason=renewed")) << whole_log();
    EXPECT_FALSE(logged("DS-606")) << whole_log();
    const auto service = service_client();
    open_stream(*second, *service);
}

TEST_F(HubLinks, ForeignClientThatComesBackWhenItsTokenIsOldIsNoAlarm) {
    auto options = device_options();
    const auto resource = iothub::device_resource("localhost", "dev-01");
    options.token = iothub::make_sas_token(resource, device_key, clock.unix_seconds() + 3);
    const auto first = online_device(options);
    std::this_thread::sleep_for(2200ms);
    const auto second = online_device();
    EXPECT_TRUE(run(first->is_dropped()));
    EXPECT_TRUE(eventually_logged("reason=renewed")) << whole_log();
    const auto third = online_device();
    EXPECT_TRUE(eventually_logged("DS-606")) << "two behind one address take turns: " << whole_log();
}

TEST_F(HubLinks, SecondMachineIsToldWithBothAddresses) {
    const auto first = online_device(device_proxy_options());
    const auto second = online_device(device_proxy_options());
    EXPECT_EQ(run(first->expect<mqtt::Publish>()).topic, "$iothub/streams/takeover/?$by=127.0.0.1");
    EXPECT_TRUE(run(first->is_dropped()));
    EXPECT_TRUE(eventually_logged("DS-606")) << whole_log();
    const auto down = std::regex("warning device link down device=dev-01 peer=(\\S+) new_peer=(\\S+) code=DS-606 .*");
    std::smatch found;
    for (const auto& line : lines->lines())
        if (std::regex_match(line, found, down)) {
            EXPECT_TRUE(logged("device link up device=dev-01 peer=" + found.str(1)));
            EXPECT_TRUE(logged("device link up device=dev-01 peer=" + found.str(2)));
            EXPECT_NE(found.str(1), found.str(2));
            return;
        }
    FAIL() << whole_log();
}

// Removal.

TEST_F(HubLinks, RemovedDeviceLosesLinkRequestsAndStreamsAtOnce) {
    const auto device = online_device();
    const auto service = service_client(), other = service_client();
    const auto legs = joined_stream(*device, *service);
    const auto half_open = open_stream(*device, *service);
    const auto waiting = open_leg(half_open.service);
    auto asking = start(other->ask("dev-01", "ssh.0a1b2c3d", no_wait));
    run(device->next_request());
    background.wait_for(stream_hub().registry().remove({"dev-01", {}}));
    EXPECT_EQ(run(legs.service->close_code()), 1008);
    EXPECT_EQ(run(legs.device->close_code()), 1008);
    EXPECT_EQ(run(waiting->close_code()), 1008);
    EXPECT_TRUE(run(device->is_dropped()));
    EXPECT_EQ(finish(asking).status, 404);
    EXPECT_TRUE(eventually_logged("reason=the device was removed or disabled")) << whole_log();
    EXPECT_EQ(code_for(device_options()), 5);
}

// Once it stops, another process may have the registry: a command line, or the hub that takes over.
class HubThatStops : public HubTest {
 protected:
    HubThatStops() {
        registry_file = certificates.folder / "registry.db";
        start_hub();
    }
    void expect_cut_after(asio::awaitable<void> (*change)(Registry&)) {
        const auto device = online_device();
        const auto service = service_client();
        const auto legs = joined_stream(*device, *service);
        run(legs.service->send(ws::Opcode::binary, "running"));
        EXPECT_EQ(run(legs.device->receive_data(7)), "running");
        hub->on_control([](StreamHub& stopping) { stopping.stop_accepting(); });
        EXPECT_TRUE(run(device->is_dropped()));

        SqliteRegistry elsewhere(registry_file, SqliteRegistry::Mode::open_existing, clock);
        run(change(elsewhere));
        EXPECT_EQ(run(legs.service->close_code()), 1008);
        EXPECT_EQ(run(legs.device->close_code()), 1008);
        EXPECT_TRUE(eventually_logged("reason=the device was removed or disabled")) << whole_log();
    }
};

TEST_F(HubThatStops, StreamsOfARemovedDeviceAreCut) {
    expect_cut_after([](Registry& registry) { return registry.remove({"dev-01", {}}); });
}

TEST_F(HubThatStops, StreamsOfADisabledDeviceAreCut) {
    expect_cut_after([](Registry& registry) { return registry.set_enabled({"dev-01", {}}, false); });
}

TEST_F(HubLinks, StoppingHubTellsAll) {
    const auto device = online_device();
    const auto service = service_client();
    const auto legs = joined_stream(*device, *service);
    hub->stop();
    EXPECT_EQ(run(legs.service->close_code()), 1001);
    EXPECT_EQ(run(legs.device->close_code()), 1001);
    EXPECT_TRUE(run(device->is_dropped()));
}

}  // namespace
}  // namespace device_streams::hub
