#include "common/iothub/errors.hpp"
#include "common/tunnel/features.hpp"
#include "common/tunnel/leg_upgrade.hpp"
#include "common/tunnel/stream_owner.hpp"
#include "tests/component/support/hub_fixture.hpp"

// What services ask for, what they are answered, and who may open a leg.
namespace device_streams::hub {
namespace {

class HubRequests : public HubTest {
 protected:
    HubRequests() { start_hub(); }
    void expect_error(const http::Response& response, int status, int code, std::string_view name) {
        EXPECT_EQ(response.status, status);
        EXPECT_EQ(response.headers.find("iothub-errorcode"), name);
        EXPECT_EQ(iothub::parse_error(response.body, "").code, code) << response.body;
        EXPECT_TRUE(response.headers.find("Content-Type").value_or("").starts_with("application/json"));
    }
    http::Response ask_with(const Secret& token) {
        hub_clients::ServiceClient service(address, token);
        return run(service.ask("dev-01", "ssh.0a1b2c3d", no_wait));
    }
    Secret token_for(const std::string& resource, const Secret& key, std::int64_t life, const std::string& policy) {
        return iothub::make_sas_token(resource, key, clock.unix_seconds() + life, policy);
    }
    /// Headers of a service of ours whose connection speaks for it.
    http::Headers owning(hub_clients::ServiceClient& service) {
        run(service.connect());
        auto headers = announcing;
        add_stream_owner(headers, service.connection().transport());
        return headers;
    }
    int status_of_leg(const hub_clients::Ticket& ticket) {
        hub_clients::LegClient leg(address);
        return run(leg.open(ticket)).status;
    }
};

// Errors.

TEST_F(HubRequests, OfflineDeviceIs404103) {
    const auto service = service_client();
    expect_error(run(service->ask("dev-01", "ssh.0a1b2c3d")), 404, 404103, "DeviceNotOnline");
}

TEST_F(HubRequests, DeviceWithoutSubscriptionIs404103) {
    hub_clients::DeviceClient device(address, device_options());
    EXPECT_EQ(run(device.log_in()), 0);
    const auto service = service_client();
    expect_error(run(service->ask("dev-01", "ssh.0a1b2c3d", no_wait)), 404, 404103, "DeviceNotOnline");
}

TEST_F(HubRequests, UnknownDeviceAndModuleAre404) {
    const auto service = service_client();
    expect_error(run(service->ask("dev-99", "ssh.0a1b2c3d", no_wait)), 404, 404001, "DeviceNotFound");
    expect_error(run(service->ask("dev-01/modules/m", "ssh.0a1b2c3d", no_wait)), 404, 404010, "ModuleNotFound");
}

TEST_F(HubRequests, WrongMissingExpiredAndForeignCredentialsAre401) {
    expect_error(ask_with(Secret()), 401, 401002, "IotHubUnauthorizedAccess");
    expect_error(ask_with(Secret("nonsense")), 401, 401002, "IotHubUnauthorizedAccess");
    for (const auto& token :
         {token_for("localhost", device_key, 3600, "service"), token_for("localhost", service_key, -3600, "service"),
          token_for("other.example", service_key, 3600, "service"), token_for("localhost", service_key, 3600, "nobody"),
          token_for("localhost", service_key, 3600, ""), device_token({"dev-01", {}}, device_key)})
        expect_error(ask_with(token), 401, 401002, "IotHubUnauthorizedAccess");
    EXPECT_TRUE(eventually_logged("DS-601")) << whole_log();
}

TEST_F(HubRequests, PolicyWithoutPermissionIs401AndSaysSo) {
    const auto policy =
        background.wait_for(stream_hub().registry().add_policy("reader", {.registry_read = true}, make_key_pair()));
    const auto response = ask_with(token_for("localhost", policy.keys.primary, 3600, "reader"));
    expect_error(response, 401, 401002, "IotHubUnauthorizedAccess");
    EXPECT_NE(response.body.find("the policy does not permit streams"), std::string::npos) << response.body;
    EXPECT_TRUE(logged("service: the policy does not permit this")) << whole_log();
}

TEST_F(HubRequests, BadHeaderNameOrPathIs400) {
    const auto service = service_client();
    for (const char* timeout : {"soon", "-1", "1,5", "nan", "1e999", ""}) {
        const auto response =
            run(service->ask("dev-01", "ssh.0a1b2c3d", {{"iothub-streaming-connect-timeout-in-seconds", timeout}}));
        expect_error(response, 400, 400004, "ArgumentInvalid");
    }
    expect_error(run(service->ask("dev-01", "a%2Fb")), 400, 400004, "ArgumentInvalid");
    expect_error(run(service->ask("dev%0001", "ssh.0a1b2c3d")), 400, 400004, "ArgumentInvalid");
    expect_error(run(service->ask("d%zz", "ssh.0a1b2c3d")), 400, 400004, "ArgumentInvalid");
}

TEST_F(HubRequests, OperationsThatAreNotServedSayWhich) {
    const auto service = service_client();
    const auto twin = run(service->request("GET", "/twins/dev-01"));
    expect_error(twin, 501, 501000, "NotImplemented");
    EXPECT_EQ(iothub::parse_error(twin.body, "").message, "twins are not served by this hub");
    expect_error(run(service->request("POST", "/devices/query")), 501, 501000, "NotImplemented");
    EXPECT_FALSE(logged("code=DS-613")) << whole_log();
    expect_error(run(service->request("POST", "/devices/dev-01/messages/events")), 501, 501000, "NotImplemented");
    EXPECT_TRUE(eventually_logged("code=DS-613")) << whole_log();
    expect_error(run(service->request("PUT", "/0ne0001/registrations/dev-01/register")), 501, 501000, "NotImplemented");
    EXPECT_TRUE(eventually_logged("code=DS-614")) << whole_log();
    EXPECT_EQ(service->connections, 1);
}

TEST_F(HubRequests, OtherMethodsAndPathsAreRefusedAndTheConnectionLivesOn) {
    const auto service = service_client();
    EXPECT_EQ(run(service->request("GET", "/twins/dev-01/streams/ssh.0a1b2c3d")).status, 405);
    const auto nowhere = run(service->request("GET", "/"));
    expect_error(nowhere, 404, 404000, "GenericNotFound");
    EXPECT_EQ(service->connections, 1);
    EXPECT_EQ(run(service->request("GET", "/$iothub/websocket")).status, 426);
    EXPECT_EQ(run(service->request("GET", "/bridges/ih/hub1")).status, 426);
}

TEST_F(HubRequests, UnknownQueryAndAnyApiVersionAreIgnored) {
    const auto device = online_device();
    const auto service = service_client();
    auto asking =
        start(service->request("POST", "/twins/dev-01/streams/s?api-version=1815-06-18-preview&x=y&z", no_wait));
    run(device->answer(200, run(device->next_request()).request_id));
    EXPECT_EQ(finish(asking).status, 200);
}

TEST_F(HubRequests, ServiceThatGoesAwayCancelsItsRequest) {
    const auto device = online_device();
    const auto service = service_client();
    auto asking = start(service->ask("dev-01", "ssh.0a1b2c3d", no_wait));
    const auto request = run(device->next_request());
    const auto device_leg = open_leg({request.url, request.token});
    service->leave();
    const auto close = run(device_leg->receive_close());
    EXPECT_EQ(close.close_code(), 1011);
    EXPECT_TRUE(eventually_logged("stream request cancelled")) << whole_log();
    run(device->answer(200, request.request_id));
    const auto other = service_client();
    open_stream(*device, *other);
}

TEST_F(HubRequests, ServiceOfOursThatGoesAwayBeforeItsLegCameEndsTheStream) {
    const auto device = online_device();
    const auto service = service_client();
    const auto tickets = open_stream(*device, *service, "ssh.0a1b2c3d", owning(*service));
    const auto device_leg = open_leg(tickets.device);
    service->leave();
    EXPECT_EQ(run(device_leg->close_code()), 1011);
    EXPECT_TRUE(eventually_logged("the service went away before its leg came")) << whole_log();
}

// The end of the connection has been heard when hang_up() returns.
TEST_F(HubRequests, ServiceOfOursMayCloseItsConnectionOnceItsLegIsThere) {
    const auto device = online_device();
    const auto service = service_client();
    const auto tickets = open_stream(*device, *service, "ssh.0a1b2c3d", owning(*service));
    const auto service_leg = open_leg(tickets.service);
    run(service->hang_up());
    const auto device_leg = open_leg(tickets.device);
    run(service_leg->send(ws::Opcode::binary, "x"));
    EXPECT_EQ(run(device_leg->receive_data(1)), "x");
}

TEST_F(HubRequests, ForeignServiceMayCloseItsConnectionBeforeItsLeg) {
    const auto device = online_device();
    const auto service = service_client();
    const auto tickets = open_stream(*device, *service);
    run(service->hang_up());
    EXPECT_EQ(status_of_leg(tickets.service), 101);
}

// Reverse proxies end and reuse their connections as they like.
TEST_F(HubRequests, StreamOutlivesAConnectionThatDidNotClaimIt) {
    const auto device = online_device();
    const auto service = service_client();
    const auto tickets = open_stream(*device, *service, "ssh.0a1b2c3d", announcing);
    run(service->hang_up());
    EXPECT_EQ(status_of_leg(tickets.service), 101);
}

// HAProxy and nginx pass fields on that Connection names.
TEST_F(HubRequests, StreamOutlivesAConnectionThatWasHandedTheClaimOfAnotherOne) {
    const auto device = online_device();
    const auto behind_proxy = service_client();
    const auto headers = owning(*behind_proxy);
    const auto service = service_client();
    const auto tickets = open_stream(*device, *service, "ssh.0a1b2c3d", headers);
    run(service->hang_up());
    EXPECT_EQ(status_of_leg(tickets.service), 101);
}

TEST_F(HubRequests, StreamOutlivesAConnectionThatEndsWithTheAnswer) {
    const auto device = online_device();
    const auto service = service_client();
    auto headers = owning(*service);
    headers.add("Connection", "close");
    const auto tickets = open_stream(*device, *service, "ssh.0a1b2c3d", headers);
    run(service->hang_up());
    EXPECT_EQ(status_of_leg(tickets.service), 101);
}

TEST_F(HubRequests, DeviceCredentialsOpenNoRequestsAndServiceCredentialsNoLinks) {
    auto options = device_options();
    options.token = token_for("localhost", service_key, 3600, "service");
    hub_clients::DeviceClient device(address, options);
    EXPECT_EQ(run(device.log_in()), 5);
}

// Legs.

TEST_F(HubRequests, ServiceLegMayUseTheWarmConnection) {
    const auto device = online_device();
    const auto service = service_client();
    const auto tickets = open_stream(*device, *service);
    hub_clients::LegClient leg(address);
    EXPECT_EQ(run(leg.open_on(service->connection(), tickets.service)).status, 101);
    const auto device_leg = open_leg(tickets.device);
    run(leg.send(ws::Opcode::binary, "warm"));
    EXPECT_EQ(run(device_leg->receive_data(4)), "warm");
}

TEST_F(HubRequests, LegNeedsItsOwnToken) {
    const auto device = online_device();
    const auto service = service_client();
    const auto tickets = open_stream(*device, *service);
    EXPECT_EQ(status_of_leg({tickets.device.url, Secret()}), 401);
    EXPECT_EQ(status_of_leg({tickets.device.url, Secret("nonsense")}), 401);
    EXPECT_EQ(status_of_leg({tickets.device.url, tickets.service.token}), 401);
    EXPECT_EQ(status_of_leg(tickets.device), 101);
}

TEST_F(HubRequests, SameRoleTwiceIs409AndAUsedStreamIs404) {
    const auto device = online_device();
    const auto service = service_client();
    const auto tickets = open_stream(*device, *service);
    const auto device_leg = open_leg(tickets.device);
    EXPECT_EQ(status_of_leg(tickets.device), 409);
    const auto service_leg = open_leg(tickets.service);
    run(service_leg->send(ws::Opcode::binary, "x"));
    EXPECT_EQ(run(device_leg->receive_data(1)), "x");
    EXPECT_EQ(status_of_leg(tickets.device), 404);
    EXPECT_TRUE(logged("info stream leg refused device=dev-01 leg=device")) << whole_log();
    EXPECT_FALSE(logged("warning")) << whole_log();
}

TEST_F(HubRequests, LegOfAnUnknownWebSocketVersionIs426AndKeepsItsToken) {
    const auto device = online_device();
    const auto service = service_client();
    const auto tickets = open_stream(*device, *service);
    const auto url = iothub::parse_stream_url(tickets.service.url).value();
    const auto response = run(service->request("GET", url.target,
                                               {{"Upgrade", "websocket"},
                                                {"Connection", "Upgrade"},
                                                {"Sec-WebSocket-Version", "12"},
                                                {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}}));
    EXPECT_EQ(response.status, 426);
    EXPECT_EQ(status_of_leg(tickets.service), 101);
}

// Features.

TEST_F(HubRequests, FeaturesAreNegotiatedBetweenPartiesOfOurs) {
    auto options = device_options();
    options.client_type = announce("device-proxy/0.1.0", {own_features});
    const auto device = online_device(options);
    const auto service = service_client();
    auto asking =
        start(service->ask("dev-01", "ssh.0a1b2c3d", {{"iothub-streaming-features", "half-close,big-frames,x"}}));
    const auto request = run(device->next_request());
    EXPECT_EQ(request.features, "half-close,big-frames,pings,reasons");  // the last one is of this hop alone
    run(device->answer(200, request.request_id));
    const auto response = finish(asking);
    EXPECT_EQ(response.headers.find("iothub-streaming-features"), "half-close,big-frames");

    const auto device_leg = open_leg({request.url, request.token});
    const auto service_leg = open_leg(hub_clients::ticket_of(response));
    run(service_leg->send(ws::Opcode::binary, "the question"));
    run(service_leg->send(ws::Opcode::binary, ""));
    EXPECT_EQ(run(device_leg->receive_data(12)), "the question");
    const auto end = run(device_leg->receive());
    ASSERT_TRUE(end);
    EXPECT_EQ(end->payload.size(), 0u) << "the end of one direction";
    run(device_leg->send(ws::Opcode::binary, "the answer"));
    run(device_leg->send(ws::Opcode::binary, ""));
    EXPECT_EQ(run(service_leg->receive_data(10)), "the answer");
}

TEST_F(HubRequests, ForeignPartiesHearNothingOfFeatures) {
    const auto device = online_device();
    const auto service = service_client();
    auto asking = start(service->ask("dev-01", "ssh.0a1b2c3d", no_wait));
    const auto request = run(device->next_request());
    EXPECT_EQ(request.features, "");
    run(device->answer(200, request.request_id));
    EXPECT_FALSE(finish(asking).headers.find("iothub-streaming-features"));
}

TEST_F(HubRequests, ServiceOfOursHearsWhatItsLegAloneCanUse) {
    const auto device = online_device();
    const auto service = service_client();
    auto asking = start(service->ask("dev-01", "ssh.0a1b2c3d", {{"iothub-streaming-features", "half-close"}}));
    run(device->answer(200, run(device->next_request()).request_id));
    EXPECT_EQ(finish(asking).headers.find("iothub-streaming-features"), "none");
}

// One connection for request and leg.

const http::Headers leg_at_once{
    {"iothub-streaming-features", "half-close"}, {"Connection", "Upgrade"}, {"Upgrade", "device-stream"}};

TEST_F(HubRequests, TheConnectionThatAskedBecomesTheLeg) {
    const auto device = online_device();
    const auto service = service_client();
    auto asking = start(service->ask("dev-01", "ssh.0a1b2c3d", leg_at_once));
    const auto request = run(device->next_request());
    run(device->answer(200, request.request_id));
    const auto response = finish(asking);
    EXPECT_EQ(response.status, 101);
    EXPECT_TRUE(has_leg_upgrade(response.headers));
    EXPECT_EQ(response.headers.find("iothub-streaming-is-accepted"), "True");
    EXPECT_EQ(response.headers.find("iothub-streaming-features"), "none");
    EXPECT_FALSE(response.headers.find("iothub-streaming-auth-token"));

    hub_clients::LegClient service_leg(address);
    service_leg.open_at_once(service->connection());
    run(service_leg.send(ws::Opcode::binary, "sent before the device's leg is there"));
    const auto device_leg = open_leg({request.url, request.token});
    EXPECT_EQ(run(device_leg->receive_data(37)), "sent before the device's leg is there");
    run(device_leg->send(ws::Opcode::binary, "the answer"));
    EXPECT_EQ(run(service_leg.receive_data(10)), "the answer");
    run(service_leg.send_close(1000));
    EXPECT_EQ(run(device_leg->close_code()), 1000);
}

TEST_F(HubRequests, AServiceThatVanishesFromItsLegAtOnceEndsTheDevicesLeg) {
    const auto device = online_device();
    const auto service = service_client();
    auto asking = start(service->ask("dev-01", "ssh.0a1b2c3d", leg_at_once));
    const auto request = run(device->next_request());
    const auto device_leg = open_leg({request.url, request.token});
    run(device->answer(200, request.request_id));
    EXPECT_EQ(finish(asking).status, 101);
    service->leave();
    EXPECT_EQ(run(device_leg->close_code()), 1011);
}

TEST_F(HubRequests, RefusalsLeaveAConnectionThatWantedToBecomeALegAsItIs) {
    const auto device = online_device();
    const auto service = service_client();
    EXPECT_EQ(run(service->ask("dev-02", "ssh.0a1b2c3d", leg_at_once)).status, 404);
    auto asking = start(service->ask("dev-01", "ssh.0a1b2c3d", leg_at_once));
    run(device->answer(400, run(device->next_request()).request_id));
    const auto rejected = finish(asking);
    EXPECT_EQ(rejected.status, 200);
    EXPECT_EQ(rejected.headers.find("iothub-streaming-is-accepted"), "False");
    EXPECT_EQ(service->connections, 1);
}

TEST_F(HubRequests, TheDevicesReasonReachesOurServicesAlone) {
    const auto device = online_device();
    const auto reason_for = [&](const std::string& features, std::optional<Errc> reason) {
        const auto service = service_client();
        http::Headers headers;
        if (!features.empty()) headers.add(std::string(features_header), features);
        auto asking = start(service->ask("dev-01", "ssh.0a1b2c3d", std::move(headers)));
        run(device->answer(400, run(device->next_request()).request_id, reason));
        const auto rejected = finish(asking);
        EXPECT_EQ(rejected.headers.find("iothub-streaming-is-accepted"), "False");
        return std::string(rejected.headers.find("iothub-streaming-reason").value_or("(none)"));
    };
    EXPECT_EQ(reason_for("half-close,reasons", Errc::local_refused), "DS-402");
    EXPECT_EQ(reason_for("half-close,reasons", std::nullopt), "(none)");
    EXPECT_EQ(reason_for("half-close", Errc::local_refused), "(none)");
    EXPECT_EQ(reason_for("", Errc::local_refused), "(none)");
}

TEST_F(HubRequests, AForeignServiceThatNamesTheUpgradeIsAnsweredAsAlways) {
    const auto device = online_device();
    const auto service = service_client();
    auto asking =
        start(service->ask("dev-01", "ssh.0a1b2c3d", {{"Connection", "Upgrade"}, {"Upgrade", "device-stream"}}));
    run(device->answer(200, run(device->next_request()).request_id));
    const auto response = finish(asking);
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(response.headers.find("iothub-streaming-auth-token"));
}

}  // namespace
}  // namespace device_streams::hub
