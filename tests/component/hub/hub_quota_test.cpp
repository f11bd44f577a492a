#include "common/iothub/errors.hpp"
#include "hub/admin/admin_session.hpp"
#include "tests/component/support/hub_fixture.hpp"

#include <nlohmann/json.hpp>

#include <fstream>

// The limits of streams on the wire, and that a place is given back however its stream ends.
namespace device_streams::hub {
namespace {

using nlohmann::json;

class HubQuota : public HubTest {
 protected:
    HubQuota() {
        config.limits.presence.offline_grace = 0s;
        config.admin_socket = certificates.folder / "admin.sock";
    }

    QuotaOptions::Scope& limit(QuotaScope scope) { return at_scope(config.quota.scopes, scope); }
    void apply() {
        hub->on_control([this](StreamHub& running) { running.apply(config); });
    }
    json quota() {
        const Endpoint socket{.host = {}, .port = 0, .path = config.admin_socket};
        return run(ask_running_hub(socket, {{"command", "quota"}}, clock)).value().at("result");
    }
    json row(QuotaScope scope) {
        const auto all = quota();
        const auto rows = all.at("scopes").at(static_cast<std::size_t>(scope)).at("use");
        return rows.empty() ? json{{"streams", 0}, {"bytes", 0}} : rows.front();
    }
    bool eventually_free() {
        return test::eventually([&] { return row(QuotaScope::hub).at("streams") == 0; });
    }
    http::Response ask() { return run(service_client()->ask("dev-01", "ssh.0a1b2c3d", no_wait)); }
    void expect_refused(int status, int code, std::string_view name) {
        const auto response = ask();
        EXPECT_EQ(response.status, status) << response.body;
        EXPECT_EQ(response.headers.find("iothub-errorcode"), name);
        EXPECT_EQ(iothub::parse_error(response.body, "").code, code) << response.body;
        const auto wait = std::string(response.headers.find("Retry-After").value_or("none"));
        EXPECT_NE(wait, "0");
        EXPECT_EQ(wait.find_first_not_of("0123456789"), std::string::npos) << wait;
    }
};

TEST_F(HubQuota, RateIs429WithRetryAfter) {
    limit(QuotaScope::policy) = {.opens_per_second = 1};
    start_hub();
    const auto service = service_client();
    int refused = 0;  // on a slow machine not the second one yet
    for (int tries = 0; tries < 1'000 && refused == 0; ++tries) {
        const auto response = run(service->ask("dev-01", "ssh.0a1b2c3d", no_wait));
        if (response.status == 404) continue;
        ++refused;
        EXPECT_EQ(response.status, 429);
        EXPECT_EQ(response.headers.find("iothub-errorcode"), "ThrottlingException");
        EXPECT_EQ(iothub::parse_error(response.body, "").code, 429001);
        EXPECT_EQ(response.headers.find("Retry-After"), "1");
        EXPECT_NE(response.body.find("one policy may have 1 new streams a second"), std::string::npos) << response.body;
    }
    EXPECT_EQ(refused, 1);
    EXPECT_TRUE(eventually_logged("DS-306")) << whole_log();
}

TEST_F(HubQuota, TooManyStreamsAre429UntilOneEnds) {
    limit(QuotaScope::device) = {.streams = 1};
    start_hub();
    const auto device = online_device();
    const auto service = service_client();
    const auto legs = joined_stream(*device, *service);
    expect_refused(429, 429001, "ThrottlingException");
    run(legs.service->send_close(1000));
    EXPECT_EQ(run(legs.device->close_code()), 1000);
    ASSERT_TRUE(eventually_free());
    open_stream(*device, *service);
}

TEST_F(HubQuota, UsedUpDayIs403ForNewStreamsAndRunningOnesGoOn) {
    limit(QuotaScope::hub) = {.bytes_per_day = 10};
    start_hub();
    const auto device = online_device();
    const auto service = service_client();
    const auto legs = joined_stream(*device, *service);
    run(legs.service->send(ws::Opcode::binary, "twelve bytes"));
    EXPECT_EQ(run(legs.device->receive_data(12)), "twelve bytes");
    EXPECT_EQ(row(QuotaScope::address).at("bytes"), 12) << "of a stream that still runs";
    expect_refused(403, 403002, "IotHubQuotaExceeded");
    run(legs.device->send(ws::Opcode::binary, "more"));
    EXPECT_EQ(run(legs.service->receive_data(4)), "more");
    EXPECT_TRUE(eventually_logged("DS-307")) << whole_log();
}

TEST_F(HubQuota, StrangersAndUnknownDevicesLeaveNoTrace) {
    start_hub();
    auto forged = iothub::make_sas_token("localhost", device_key, clock.unix_seconds() + 3600, "service");
    hub_clients::ServiceClient stranger(address, std::move(forged));
    EXPECT_EQ(run(stranger.ask("dev-01", "ssh.0a1b2c3d", no_wait)).status, 401);
    EXPECT_EQ(run(service_client()->ask("dev-99", "ssh.0a1b2c3d", no_wait)).status, 404);
    const auto answer = quota();
    for (const auto& scope : answer.at("scopes")) EXPECT_EQ(scope.at("known"), 0) << scope;
}

TEST_F(HubQuota, NewLimitsHoldAtOnceAndRunningStreamsGoOn) {
    start_hub();
    const auto device = online_device();
    const auto service = service_client();
    const auto legs = joined_stream(*device, *service);
    limit(QuotaScope::address) = {.streams = 1};
    apply();
    expect_refused(429, 429001, "ThrottlingException");
    run(legs.service->send(ws::Opcode::binary, "on"));
    EXPECT_EQ(run(legs.device->receive_data(2)), "on");
    limit(QuotaScope::address) = {};
    apply();
    open_stream(*device, *service);
}

TEST_F(HubQuota, DecisionsAreInTheResourceLog) {
    const auto records = certificates.folder / "records";
    config.resource_log = records;
    limit(QuotaScope::hub) = {.streams = 1};
    start_hub();
    const auto device = online_device();
    const auto service = service_client();
    open_stream(*device, *service);
    expect_refused(429, 429001, "ThrottlingException");
    const auto found = [&] {
        std::ifstream lines_of_file(records);
        for (std::string line; std::getline(lines_of_file, line);)
            if (line.find(R"("resultType":"429001","resultDescription":"ThrottlingException")") != std::string::npos)
                return true;
        return false;
    };
    EXPECT_TRUE(test::eventually(found));
}

TEST_F(HubQuota, NextHubKnowsWhatTheDayHasCarried) {
    config.state_directory = certificates.folder / ".";
    start_hub();
    {
        const auto device = online_device();
        const auto service = service_client();
        const auto legs = joined_stream(*device, *service);
        run(legs.service->send(ws::Opcode::binary, "twelve bytes"));
        EXPECT_EQ(run(legs.device->receive_data(12)), "twelve bytes");
    }
    hub.reset();
    limit(QuotaScope::hub) = {.bytes_per_day = 12};
    start_hub();
    const auto device = online_device();
    expect_refused(403, 403002, "IotHubQuotaExceeded");
}

// Every ending gives the place back.

class HubQuotaEndings : public HubQuota {
 protected:
    HubQuotaEndings() {
        start_hub();
        device = online_device();
        service = service_client();
    }
    ~HubQuotaEndings() override {
        EXPECT_TRUE(eventually_free()) << quota();
        const auto answer = quota();
        for (const auto& scope : answer.at("scopes"))
            for (const auto& used : scope.at("use")) EXPECT_EQ(used.at("streams"), 0) << scope;
    }
    // A request that has its place and is at the device.
    iothub::StreamRequest asked() {
        asking = start(service->ask("dev-01", "ssh.0a1b2c3d", no_wait));
        auto request = run(device->next_request());
        expect_taken();
        return request;
    }
    // From the request to both legs.
    void give_streams(Clock::duration time) {
        config.limits.pairing.handshake_timeout = time;
        apply();
    }
    void expect_taken() {
        for (const auto scope : quota_scopes) EXPECT_EQ(row(scope).at("streams"), 1) << to_string(scope);
    }

    std::unique_ptr<hub_clients::DeviceClient> device;
    std::unique_ptr<hub_clients::ServiceClient> service;
    std::unique_ptr<test::Running<http::Response>> asking;
};

TEST_F(HubQuotaEndings, RejectedByTheDevice) {
    run(device->answer(400, asked().request_id));
    EXPECT_EQ(finish(asking).headers.find("iothub-streaming-is-accepted"), "False");
}

TEST_F(HubQuotaEndings, DeviceNotOnline) {
    device->vanish();
    ASSERT_TRUE(eventually_logged("device link down"));
    EXPECT_EQ(run(service->ask("dev-01", "ssh.0a1b2c3d", no_wait)).status, 404);
}

TEST_F(HubQuotaEndings, DeviceDoesNotAnswer) {
    const http::Headers impatient{{"iothub-streaming-response-timeout-in-seconds", "1"}};
    EXPECT_EQ(run(service->ask("dev-01", "ssh.0a1b2c3d", impatient)).status, 504);
}

TEST_F(HubQuotaEndings, ServiceGoesAwayBeforeTheAnswer) {
    asked();
    service->leave();
}

TEST_F(HubQuotaEndings, ServiceGoesAwayBeforeItsLeg) {
    open_stream(*device, *service, "ssh.0a1b2c3d", announcing);
    expect_taken();
    service->leave();
}

TEST_F(HubQuotaEndings, NoLegComes) {
    give_streams(3s);
    asking = start(service->ask("dev-01", "ssh.0a1b2c3d", no_wait));
    run(device->answer(200, run(device->next_request()).request_id));
    finish(asking);
}

TEST_F(HubQuotaEndings, OneLegIsMissing) {
    give_streams(3s);
    asking = start(service->ask("dev-01", "ssh.0a1b2c3d", no_wait));
    const auto request = run(device->next_request());
    run(device->answer(200, request.request_id));
    finish(asking);
    hub_clients::LegClient leg(address);
    if (run(leg.open({request.url, request.token})).status == 101) {
        EXPECT_EQ(run(leg.close_code()), 1011);
    }
}

TEST_F(HubQuotaEndings, WaitingLegGoesAway) {
    const auto leg = open_leg(open_stream(*device, *service).service);
    expect_taken();
    leg->vanish();
}

TEST_F(HubQuotaEndings, StreamIsClosed) {
    const auto legs = joined_stream(*device, *service);
    run(legs.service->send_close(1000));
    EXPECT_EQ(run(legs.device->close_code()), 1000);
}

TEST_F(HubQuotaEndings, LegOfAStreamIsLost) {
    const auto legs = joined_stream(*device, *service);
    run(legs.service->send(ws::Opcode::binary, "x"));
    EXPECT_EQ(run(legs.device->receive_data(1)), "x");
    expect_taken();
    legs.device->vanish();
    EXPECT_EQ(run(legs.service->close_code()), 1011);
}

TEST_F(HubQuotaEndings, DeviceIsRevokedWhileItIsAsked) {
    asked();
    background.wait_for(stream_hub().registry().set_enabled({"dev-01", {}}, false));
    EXPECT_EQ(finish(asking).status, 404);
}

TEST_F(HubQuotaEndings, DeviceIsRevokedUnderItsStream) {
    const auto legs = joined_stream(*device, *service);
    run(legs.service->send(ws::Opcode::binary, "x"));
    EXPECT_EQ(run(legs.device->receive_data(1)), "x");
    background.wait_for(stream_hub().registry().set_enabled({"dev-01", {}}, false));
}

TEST_F(HubQuotaEndings, HubStopsTakingStreams) {
    asked();
    hub->on_control([](StreamHub& running) { running.stop_accepting(); });
    EXPECT_EQ(finish(asking).status, 500);
}

}  // namespace
}  // namespace device_streams::hub
