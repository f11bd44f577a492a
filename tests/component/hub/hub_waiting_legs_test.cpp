#include "tests/component/support/hub_fixture.hpp"
#include "tests/support/pattern.hpp"

// A leg that waits for the other one. If it ends before any payload, so does the stream, at once.
namespace device_streams::hub::waiting_legs_test {
namespace {

using ws::Opcode;

class HubWaitingLeg : public HubTest {
 protected:
    HubWaitingLeg() {
        start_hub();
        device = online_device();
        service = service_client();
        tickets = open_stream(*device, *service);
    }
    std::unique_ptr<hub_clients::DeviceClient> device;
    std::unique_ptr<hub_clients::ServiceClient> service;
    Tickets tickets;
};

TEST_F(HubWaitingLeg, ThatClosesGetsItsCloseAndEndsTheStream) {
    const auto device_leg = open_leg(tickets.device);
    run(device_leg->send_close(1000));
    EXPECT_EQ(run(device_leg->close_code()), 1000);
    EXPECT_TRUE(run(device_leg->is_over()));
    expect_left_before_the_other(tickets.service);
}

TEST_F(HubWaitingLeg, ThatEndsItsConnectionEndsTheStream) {
    const auto service_leg = open_leg(tickets.service);
    run(service_leg->end_connection());
    expect_left_before_the_other(tickets.device);
}

TEST_F(HubWaitingLeg, ItsDataAndItsCloseAreDelivered) {
    const auto sent = test::pattern(2000);
    const auto service_leg = open_leg(tickets.service);
    run(service_leg->send_data(sent, 700));
    run(service_leg->send_close(1000));
    const auto device_leg = open_leg(tickets.device);
    EXPECT_EQ(run(device_leg->receive_data(sent.size())), sent);
    EXPECT_EQ(run(device_leg->close_code()), 1000);
    run(device_leg->send_close(1000));
    EXPECT_EQ(run(service_leg->close_code()), 1000);
}

TEST_F(HubWaitingLeg, ItsPingIsAnswered) {
    const auto service_leg = open_leg(tickets.service);
    run(service_leg->send(Opcode::ping, "are you there"));
    const auto pong = run(service_leg->receive());
    ASSERT_TRUE(pong);
    EXPECT_EQ(pong->header.opcode, Opcode::pong);
}

}  // namespace
}  // namespace device_streams::hub::waiting_legs_test
