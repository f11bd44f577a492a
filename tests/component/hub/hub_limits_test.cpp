#include "common/iothub/errors.hpp"
#include "tests/component/support/hub_fixture.hpp"

// What the whole hub takes at a time, of those who have logged in.
namespace device_streams::hub {
namespace {

class HubLimitsTest : public HubTest {
 protected:
    hub_clients::DeviceClient::Options options_of(const std::string& id) {
        hub_clients::DeviceClient::Options options;
        options.target = {id, {}};
        options.token = device_token(options.target, id == "dev-01" ? device_key : add_device(options.target));
        return options;
    }
    int code_for(const hub_clients::DeviceClient::Options& options) {
        hub_clients::DeviceClient device(address, options);
        return run(device.log_in());
    }
    void apply() {
        hub->on_control([this](StreamHub& running) { running.apply(config); });
    }
};

TEST_F(HubLimitsTest, DeviceBeyondTheLimitIsToldToComeBackLater) {
    config.limits.presence.linked_devices = 1;
    start_hub();
    const auto second = options_of("dev-02");
    {
        const auto first = online_device();
        EXPECT_EQ(code_for(second), 3);
        EXPECT_TRUE(eventually_logged("code=DS-612")) << whole_log();
        EXPECT_TRUE(logged("dev-02: limits.linked_devices is reached")) << whole_log();

        const auto again = online_device();
        EXPECT_TRUE(run(first->is_dropped())) << "a device may always replace its own link";
    }
    EXPECT_TRUE(test::eventually([&] { return code_for(second) == 0; })) << "there is room when another has left";
}

// Who does not belong learns nothing of it.
TEST_F(HubLimitsTest, StrangerIsRefusedInAFullHubAsInAnyOther) {
    config.limits.presence.linked_devices = 1;
    start_hub();
    const auto first = online_device();
    auto stranger = options_of("dev-02");
    stranger.token = device_token(stranger.target, make_key_pair().primary);
    EXPECT_EQ(code_for(stranger), 5);
}

TEST_F(HubLimitsTest, LimitOnDevicesChangesWhileTheHubRuns) {
    start_hub();
    const auto second = options_of("dev-02");
    const auto first = online_device();
    config.limits.presence.linked_devices = 1;
    apply();
    EXPECT_EQ(code_for(second), 3);
    config.limits.presence.linked_devices = 0;
    apply();
    EXPECT_EQ(code_for(second), 0);
}

TEST_F(HubLimitsTest, PendingRequestsOfOnePolicyAreLimited) {
    config.limits.pairing.pending_per_policy = 1;
    start_hub();
    const auto device = online_device();
    const auto service = service_client(), other = service_client();
    auto waiting = start(service->ask("dev-01", "ssh.0a1b2c3d"));
    const auto request = run(device->next_request());

    const auto refusal = run(other->ask("dev-01", "ssh.0a1b2c3d"));
    EXPECT_EQ(refusal.status, 429);
    EXPECT_EQ(refusal.headers.find("iothub-errorcode"), "ThrottlingException");
    EXPECT_EQ(refusal.headers.find("Retry-After"), "5");
    EXPECT_EQ(iothub::parse_error(refusal.body, "").code, 429001);
    EXPECT_TRUE(eventually_logged("code=DS-306")) << whole_log();

    run(device->answer(400, request.request_id));
    EXPECT_EQ(finish(waiting).status, 200);
    auto asking = start(other->ask("dev-01", "ssh.0a1b2c3d"));
    run(device->next_request());
}

}  // namespace
}  // namespace device_streams::hub
