#include "common/tunnel/leg_options.hpp"

#include "hub/streams/pairing.hpp"
#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

namespace device_streams::hub {
namespace {

// The legs of a stream that a service of ours opens to a device.
class HubLegOptions : public testing::Test {
 protected:
    ws::WsOptions device_leg(std::optional<Features> announced) {
        const OpenRequest open_request{.target = {"pump-17", {}},
                                       .name = "ssh.0a1b2c3d",
                                       .connect_timeout = {},
                                       .response_timeout = {},
                                       .announced = own_features};
        pairing.open(1, open_request, {.subscribed_link = 1, .announced = announced}, clock.now());
        const auto admission = pairing.admit("sid", StreamRole::device, open_request.target);
        EXPECT_EQ(admission.verdict, Admission::Verdict::admitted);
        return leg_options(ws::Role::server, admission.features, Liveness(), clock);
    }

    test::ManualClock clock;
    Pairing pairing{PairingLimits(), [] { return "sid"; }};
};

// The C SDK holds back what follows a Ping (docs/protocol.md 7.5): not after any time, and not behind any data.
TEST_F(HubLegOptions, ForeignDeviceIsNeverPinged) {
    EXPECT_FALSE(device_leg(std::nullopt).keep_alive);
}

TEST_F(HubLegOptions, LegOfAForeignDeviceKnowsTheTime) {
    EXPECT_EQ(device_leg(std::nullopt).clock, &clock) << "for the rate of empty messages";
}

TEST_F(HubLegOptions, DeviceThatAskedForPingsGetsThem) {
    EXPECT_TRUE(device_leg(own_features).keep_alive);
}

}  // namespace
}  // namespace device_streams::hub
