#include "common/tunnel/features.hpp"
#include "hub/admin/admin_session.hpp"
#include "tests/component/support/hub_fixture.hpp"

// What a policy's rules let through, and what they end when they change.
namespace device_streams::hub {
namespace {

class HubPolicy : public HubTest {
 protected:
    HubPolicy() {
        config.admin_socket = certificates.folder / "admin.sock";
        registry_file = certificates.folder / "registry.db";
        start_hub();
        add_device({"dev-02", {}});
    }
    nlohmann::json admin(const std::string& command, nlohmann::json request) {
        request["command"] = command;
        const Endpoint socket{.host = {}, .port = 0, .path = config.admin_socket};
        return result_of(run(ask_running_hub(socket, std::move(request), clock)).value());
    }
    std::unique_ptr<hub_clients::ServiceClient> client_of(const std::string& policy) {
        const auto keys = background.wait_for(stream_hub().registry().find_policy(policy))->keys;
        auto token = iothub::make_sas_token("localhost", keys.primary, clock.unix_seconds() + 3600, policy);
        return std::make_unique<hub_clients::ServiceClient>(address, std::move(token));
    }
    /// Its rules replace the fixture's policy `service`.
    void make_ops(const std::vector<std::string>& rules) {
        admin("policy add", {{"name", "ops"}, {"permissions", {"ServiceConnect"}}, {"allow", rules}});
    }
    /// A stream of policy ops that runs.
    Legs running_stream(hub_clients::DeviceClient& device) {
        const auto service = client_of("ops");
        auto legs = joined_stream(device, *service);
        run(legs.service->send(ws::Opcode::binary, "up"));
        EXPECT_EQ(run(legs.device->receive_data(2)), "up");
        return legs;
    }
    void expect_cut(Legs& legs, const std::string& why) {
        EXPECT_EQ(run(legs.service->close_code()), 1008);
        EXPECT_EQ(run(legs.device->close_code()), 1008);
        EXPECT_TRUE(eventually_logged("reason=" + why)) << whole_log();
    }
    void expect_alive(Legs& legs) {
        run(legs.service->send(ws::Opcode::binary, "hello"));
        EXPECT_EQ(run(legs.device->receive_data(5)), "hello");
    }
    // Without what differs from answer to answer.
    static std::string without_times(std::string body) {
        for (const char* volatile_part : {"trackingId", "timestampUtc"}) {
            const auto at = body.find(volatile_part);
            if (at != std::string::npos) body.erase(at, body.find(',', at) - at);
        }
        return body;
    }
};

TEST_F(HubPolicy, ANewPolicyReachesNothingUntilItIsTold) {
    make_ops({});
    const auto device = online_device();
    const auto service = client_of("ops");
    EXPECT_EQ(run(service->ask("dev-01", "ssh.0a1b2c3d", no_wait)).status, 401);
    admin("policy allow", {{"name", "ops"}, {"rule", "dev-* ssh"}});
    open_stream(*device, *service);
    EXPECT_EQ(run(service->ask("dev-01", "rdp.0a1b2c3d", no_wait)).status, 401);
    EXPECT_TRUE(logged("DS-611")) << whole_log();
    EXPECT_TRUE(
        logged("policy ops, device dev-01, service rdp: no rule allows it: rule 1 (dev-* ssh) is for other "
               "services of the device"))
        << whole_log();
}

TEST_F(HubPolicy, WhatItMayNotReachLooksLikeWhatIsNotThere) {
    make_ops({"dev-01 *"});
    const auto service = client_of("ops");
    const auto there = run(service->ask("dev-02", "ssh.0a1b2c3d", no_wait));
    const auto not_there = run(service->ask("dev-99", "ssh.0a1b2c3d", no_wait));
    for (const auto* answer : {&there, &not_there}) {
        EXPECT_EQ(answer->status, 401);
        EXPECT_EQ(answer->headers.find("iothub-errorcode"), "IotHubUnauthorizedAccess");
        EXPECT_NE(answer->body.find("the policy does not allow this stream"), std::string::npos) << answer->body;
    }
    EXPECT_EQ(without_times(there.body), without_times(not_there.body));
    EXPECT_EQ(run(service->ask("dev-01", "ssh.0a1b2c3d", no_wait)).status, 404) << "allowed, and not online";
}

TEST_F(HubPolicy, NamesADeviceThatIsSpeltAlikeIfThePolicyReachesIt) {
    add_device({"Pump-17", {}});
    add_device({"PUMP-17", {}});
    const auto said_to = [&](const std::string& policy, const std::string& device) {
        const auto answer = run(client_of(policy)->ask(device, "ssh.0a1b2c3d", no_wait));
        EXPECT_EQ(answer.status, 404);
        const auto begin = answer.body.find("there is no such device");
        return answer.body.substr(begin, answer.body.find_first_of("\"\\", begin) - begin);
    };
    const auto add = [&](const std::string& name, const std::vector<std::string>& rules) {
        admin("policy add", {{"name", name}, {"permissions", {"ServiceConnect"}}, {"allow", rules}});
    };
    add("all", {"* *"});
    add("some", {"pump-17 *", "Pump-17 ssh", "PUMP-17 rdp"});
    add("one", {"pump-17 *"});
    EXPECT_EQ(said_to("all", "pump-17"), "there is no such device; ids are case-sensitive, and there is PUMP-17");
    EXPECT_EQ(said_to("some", "pump-17"), "there is no such device; ids are case-sensitive, and there is Pump-17");
    EXPECT_EQ(said_to("one", "pump-17"), "there is no such device; ids are case-sensitive");
    EXPECT_EQ(said_to("all", "pump-18"), "there is no such device; ids are case-sensitive");
}

// ssh writes the names of hosts in lower case, and a policy of capitals does not allow that.
TEST_F(HubPolicy, NamesADeviceThatIsSpeltAsThePolicyHasIt) {
    add_device({"Valve-18", {}});
    admin("policy add", {{"name", "valves"}, {"permissions", {"ServiceConnect"}}, {"allow", {"Valve-* ssh"}}});
    const auto denied = [&](const std::string& device, const std::string& service) {
        const auto answer = run(client_of("valves")->ask(device, service + ".0a1b2c3d", no_wait));
        EXPECT_EQ(answer.status, 401);
        return answer.body;
    };
    EXPECT_NE(
        denied("valve-18", "ssh").find("does not allow this stream; ids are case-sensitive, and there is Valve-18"),
        std::string::npos);
    EXPECT_EQ(denied("valve-18", "rdp").find("Valve"), std::string::npos) << "it may not open that";
    EXPECT_EQ(denied("valve-19", "ssh").find("case"), std::string::npos);
}

TEST_F(HubPolicy, ExplainsWithTheSameRulesAsItDecides) {
    make_ops({"dev-01 ssh"});
    const auto explained = [&](const std::string& service) {
        return admin("policy explain",
                     {{"name", "ops"}, {"device", "dev-01"}, {"service", service}, {"at", clock.unix_seconds()}})
            .at("allowed")
            .get<bool>();
    };
    const auto service = client_of("ops");
    for (const std::string name : {"ssh", "rdp", "TestStream"}) {
        const auto status = run(service->ask("dev-01", name + ".0a1b2c3d", no_wait)).status;
        EXPECT_EQ(explained(name), status != 401) << name << " " << status;
    }
}

TEST_F(HubPolicy, ATakenAwayRuleEndsOnlyTheStreamsThatNeedIt) {
    make_ops({"dev-01 ssh", "dev-0* web"});
    const auto device = online_device();
    auto needs_it = running_stream(*device);
    const auto service = service_client();
    auto of_another_policy = joined_stream(*device, *service);
    admin("policy disallow", {{"name", "ops"}, {"rule", "2"}});
    expect_alive(needs_it);
    const auto began = clock.now();
    admin("policy disallow", {{"name", "ops"}, {"rule", "dev-01 ssh"}});
    expect_cut(needs_it, "the policy does not allow it any more");
    EXPECT_LT(clock.now() - began, 20s);
    expect_alive(of_another_policy);
}

TEST_F(HubPolicy, ARuleThatAnotherOneReplacesEndsNothing) {
    make_ops({"dev-01 ssh"});
    const auto device = online_device();
    auto legs = running_stream(*device);
    admin("policy allow", {{"name", "ops"}, {"rule", "dev-* *"}});
    admin("policy disallow", {{"name", "ops"}, {"rule", "1"}});
    expect_alive(legs);
}

TEST_F(HubPolicy, RemovingAPolicyEndsItsStreams) {
    make_ops({"* *"});
    const auto device = online_device();
    auto legs = running_stream(*device);
    admin("policy remove", {{"name", "ops"}});
    expect_cut(legs, "the policy was removed");
}

TEST_F(HubPolicy, RenewingAKeyEndsTheStreamsOpenedWithIt) {
    make_ops({"* *"});
    const auto device = online_device();
    auto legs = running_stream(*device);
    admin("policy renew-key", {{"name", "ops"}, {"key", "secondary"}});
    expect_alive(legs);
    admin("policy renew-key", {{"name", "ops"}, {"key", "primary"}});
    expect_cut(legs, "the policy's key was replaced");
}

TEST_F(HubPolicy, ATakenAwayRuleFailsTheRequestThatWaitsForItsDevice) {
    make_ops({"dev-01 ssh"});
    const auto device = online_device();
    const auto service = client_of("ops");
    auto asking = start(service->ask("dev-01", "ssh.0a1b2c3d", no_wait));
    run(device->next_request());
    admin("policy disallow", {{"name", "ops"}, {"rule", "1"}});
    EXPECT_EQ(finish(asking).status, 401);
}

TEST_F(HubPolicy, RenewingAPolicysKeyEndsTheLinksOfDevicesThatUseIt) {
    admin("policy add", {{"name", "gate"}, {"permissions", {"DeviceConnect"}}});
    const auto keys = background.wait_for(stream_hub().registry().find_policy("gate"))->keys;
    auto options = device_options();
    options.token = iothub::make_sas_token("localhost", keys.primary, clock.unix_seconds() + 3600, "gate");
    const auto device = online_device(options);
    admin("policy renew-key", {{"name", "gate"}, {"key", "primary"}});
    EXPECT_TRUE(run(device->is_dropped()));
    EXPECT_TRUE(eventually_logged("the policy's key was replaced")) << whole_log();
}

TEST_F(HubPolicy, AHubThatDrainsNoticesWhatOthersTakeAway) {
    make_ops({"* *"});
    const auto device = online_device();
    auto legs = running_stream(*device);
    hub->on_control([](StreamHub& running) { running.stop_accepting(); });
    SqliteRegistry of_another_process(registry_file, SqliteRegistry::Mode::open_existing, clock);
    background.wait_for(of_another_process.disallow("ops", "1"));
    expect_cut(legs, "the policy does not allow it any more");
}

TEST_F(HubPolicy, TellsThePolicyToDevicesThatAskForItOnly) {
    auto options = device_options();
    options.client_type = announce("device-proxy/0.1.0", {device_hop_features});
    const auto service = service_client();
    {
        const auto device = online_device(options);
        auto asking = start(service->ask("dev-01", "ssh.0a1b2c3d", no_wait));
        const auto request = run(device->next_request());
        EXPECT_EQ(request.policy, "service");
        EXPECT_TRUE(parse_features(request.features).policy) << request.features;
        run(device->answer(400, request.request_id));
        finish(asking);
    }
    options.client_type = announce("device-proxy/0.0.9", {own_features});
    const auto device = online_device(options);
    auto asking = start(service->ask("dev-01", "ssh.0a1b2c3d", no_wait));
    const auto request = run(device->next_request());
    EXPECT_EQ(request.policy, "");
    run(device->answer(400, request.request_id));
    finish(asking);
}

}  // namespace
}  // namespace device_streams::hub
