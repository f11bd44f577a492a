#include "tests/component/support/bad_frames.hpp"

// WebSocket frames on either leg of a stream, row by row. Behind them a Ping asks whether the hub still listens.
namespace device_streams::hub::bad_frames_test {
namespace {

using namespace frames;
using hub_clients::LegClient;
using ws::Opcode;

struct FrameAttack {
    const char* name;
    std::string sent;
    std::string told;   ///< to the leg that sent it, which then closes well when it still can
    std::string other;  ///< to the other leg
    const char* logged = "";
};
std::string frame_attack_name(const testing::TestParamInfo<FrameAttack>& info) {
    return info.param.name;
}
void PrintTo(const FrameAttack& attack, std::ostream* out) {
    *out << attack.name;
}

const std::string alive = "pong ?";

/// All that a leg gets until the hub says Close, ends the connection, or answers the question.
asio::awaitable<std::string> heard_by(LegClient& leg) {
    std::string data, end;
    while (end.empty()) {
        const auto frame = co_await leg.receive();
        if (!frame) break;
        const std::string payload(reinterpret_cast<const char*>(frame->payload.data()), frame->payload.size());
        if (!ws::is_control(frame->header.opcode)) data += payload;
        if (frame->header.opcode == Opcode::pong && payload == "?") end = alive;
        if (frame->header.opcode == Opcode::close) end = "close " + std::to_string(frame->close_code());
    }
    if (data.empty()) co_return end;
    const auto shown = data.size() > 40 ? std::to_string(data.size()) + " bytes" : "data " + data;
    co_return end.empty() ? shown : shown + ", " + end;
}

class HubBadFrame : public HubUnderAttack, public testing::WithParamInterface<FrameAttack> {
 protected:
    HubBadFrame() : device(online_device()), service(service_client()) {}
    ~HubBadFrame() override {
        device->vanish();
        service->leave();
    }
    void expect_ends(LegClient& attacker, LegClient& other) {
        EXPECT_EQ(run(heard_by(attacker)), GetParam().told);
        if (GetParam().told.ends_with(alive)) run(attacker.send_raw(closing(1000)));
        EXPECT_EQ(run(heard_by(other)), GetParam().other);
        EXPECT_TRUE(eventually_logged(GetParam().logged)) << whole_log();
        attacker.vanish();
        other.vanish();
    }

    std::unique_ptr<hub_clients::DeviceClient> device;
    std::unique_ptr<hub_clients::ServiceClient> service;
};

TEST_P(HubBadFrame, OnTheServicesLeg) {
    const auto legs = joined_stream(*device, *service);
    run(legs.service->send_raw(GetParam().sent + question));
    expect_ends(*legs.service, *legs.device);
}

TEST_P(HubBadFrame, OnTheDevicesLeg) {
    const auto legs = joined_stream(*device, *service);
    run(legs.device->send_raw(GetParam().sent + question));
    expect_ends(*legs.device, *legs.service);
}

// What is payload waits for the other leg.
using HubEarlyFrame = HubBadFrame;
TEST_P(HubEarlyFrame, BeforeTheOtherLeg) {
    const auto tickets = open_stream(*device, *service);
    const auto attacker = open_leg(tickets.service);
    run(attacker->send_raw(GetParam().sent + question));
    const auto other = open_leg(tickets.device);
    expect_ends(*attacker, *other);
}

// What ends the leg ends the stream, which has no place for the other one then.
using HubEarlyEnd = HubBadFrame;
TEST_P(HubEarlyEnd, BeforeTheOtherLeg) {
    const auto tickets = open_stream(*device, *service);
    const auto attacker = open_leg(tickets.service);
    run(attacker->send_raw(GetParam().sent));
    EXPECT_EQ(run(heard_by(*attacker)), GetParam().told);
    expect_left_before_the_other(tickets.device);
}

std::vector<FrameAttack> all_violations() {
    std::vector<FrameAttack> rows;
    for (const auto& [name, sent] : violations)
        rows.push_back({name, sent, "close 1002", "close 1002", "protocol violation"});
    return rows;
}
INSTANTIATE_TEST_SUITE_P(Violation, HubBadFrame, testing::ValuesIn(all_violations()), frame_attack_name);

INSTANTIATE_TEST_SUITE_P(
    Odd, HubBadFrame,
    testing::Values(
        FrameAttack{"Nothing", "", alive, "close 1000"},
        FrameAttack{"Text", masked_frame(text, "text"), alive, "data text, close 1000"},
        FrameAttack{"TextNotUtf8", masked_frame(text, "\xff\xfe"), alive, "data \xff\xfe, close 1000"},
        FrameAttack{"MaskOfZeros", raw("\x82\x81\0\0\0\0x"), alive, "data x, close 1000"},
        FrameAttack{"Fragments", masked_frame(part, "a") + masked_frame(more, "b") + masked_frame(last, "c"), alive,
                    "data abc, close 1000"},
        FrameAttack{
            "ControlBetweenFragments",
            masked_frame(part, "a") + masked_frame(ping, "x") + masked_frame(pong, "") + masked_frame(last, "b"), alive,
            "data ab, close 1000"},
        FrameAttack{"EmptyFragmentsWithoutEnd", masked_frame(part, "a") + times(2'000, masked_frame(more, "")), alive,
                    "data a, close 1000"},
        FrameAttack{"FragmentsOfOneByte",
                    masked_frame(part, "a") + times(2'000, masked_frame(more, "b")) + masked_frame(last, "c"), alive,
                    "2002 bytes, close 1000"},
        FrameAttack{"MessageOfAMegabyte", masked_frame(binary, times(1'048'576, "x")), alive,
                    "1048576 bytes, close 1000"},
        FrameAttack{"LongestPing", masked_frame(ping, times(125, "x")), alive, "close 1000"},
        FrameAttack{"PingsWithoutEnd", times(2'000, masked_frame(ping, times(125, "x"))), alive, "close 1000"},
        FrameAttack{"PongsUnasked", times(2'000, masked_frame(pong, "y")), alive, "close 1000"},
        FrameAttack{"SixtyThreeEmptyMessages", times(63, masked_frame(binary, "")) + masked_frame(binary, "x"), alive,
                    "data x, close 1000"},
        FrameAttack{"EmptyMessagesWithoutEnd", times(2'000, masked_frame(binary, "")), alive, "close 1000"},
        FrameAttack{"DataBehindSixtyFourEmptyMessages", times(64, masked_frame(binary, "")) + masked_frame(binary, "x"),
                    "close 1002", "close 1002"},
        FrameAttack{"DataBeforeAViolation", masked_frame(binary, "x") + raw("\x82\x01y"), "close 1002",
                    "data x, close 1002"}),
    frame_attack_name);

INSTANTIATE_TEST_SUITE_P(
    Close, HubBadFrame,
    testing::Values(
        FrameAttack{"Empty", masked_frame(close, ""), "close 0", "close 1000"},
        FrameAttack{"WithReason", closing(1000, "that's all"), "close 1000", "close 1000"},
        FrameAttack{"WithLongestReason", closing(1000, times(123, "x")), "close 1000", "close 1000"},
        FrameAttack{"BehindData", masked_frame(binary, "x") + closing(1000), "close 1000", "data x, close 1000"},
        FrameAttack{"BeforeData", closing(1000) + masked_frame(binary, "x"), "close 1000", "close 1000"},
        FrameAttack{"BeforeGarbage", closing(1000) + "garbage", "close 1000", "close 1000"},
        FrameAttack{"Twice", closing(1000) + closing(1001), "close 1000", "close 1000"},
        FrameAttack{"InsideAMessage", masked_frame(part, "x") + closing(1000), "close 1000", "data x, close 1000"},
        FrameAttack{"Code1001", closing(1001), "close 1001", "close 1001"},
        FrameAttack{"Code1002", closing(1002), "close 1002", "close 1002"},
        FrameAttack{"Code1003", closing(1003), "close 1003", "close 1011"},
        FrameAttack{"Code1007", closing(1007), "close 1007", "close 1002"},
        FrameAttack{"Code1008", closing(1008), "close 1008", "close 1008"},
        FrameAttack{"Code1009", closing(1009), "close 1009", "close 1009"},
        FrameAttack{"Code1010", closing(1010), "close 1010", "close 1011"},
        FrameAttack{"Code1011", closing(1011), "close 1011", "close 1011"},
        FrameAttack{"Code1012", closing(1012), "close 1012", "close 1001"},
        FrameAttack{"Code3000", closing(3000), "close 3000", "close 1011"},
        FrameAttack{"Code4001InAPlainStream", closing(4001), "close 4001", "close 1011"},
        FrameAttack{"Code4999", closing(4999), "close 4999", "close 1011"}),
    frame_attack_name);

INSTANTIATE_TEST_SUITE_P(Early, HubEarlyFrame,
                         testing::Values(FrameAttack{"Data", masked_frame(binary, "x"), alive, "data x, close 1000"},
                                         FrameAttack{"Pings", times(500, masked_frame(ping, "x")), alive, "close 1000"},
                                         FrameAttack{"EmptyMessages", times(500, masked_frame(binary, "")), alive,
                                                     "close 1000"},
                                         FrameAttack{"DataAndClose", masked_frame(binary, "x") + closing(1000),
                                                     "close 1000", "data x, close 1000"},
                                         FrameAttack{"DataAndViolation", masked_frame(binary, "x") + raw("\x82\x01x"),
                                                     "close 1002", "data x, close 1002"}),
                         frame_attack_name);

INSTANTIATE_TEST_SUITE_P(Early, HubEarlyEnd,
                         testing::Values(FrameAttack{"Close", closing(1000), "close 1000", ""},
                                         FrameAttack{"CloseBehindPings",
                                                     times(500, masked_frame(ping, "x")) + closing(1000), "close 1000",
                                                     ""},
                                         FrameAttack{"CloseWithAnError", closing(1011), "close 1011", ""},
                                         FrameAttack{"Violation", raw("\x82\x01x"), "close 1002", ""},
                                         FrameAttack{"Garbage", "GET / HTTP/1.1\r\n\r\n", "close 1002", ""}),
                         frame_attack_name);

class HubCutFrame : public HubBadFrame {};
// A leg that is reset inside a frame is lost, and the other is told so.
TEST_P(HubCutFrame, IsALostLeg) {
    const auto legs = joined_stream(*device, *service);
    run(legs.service->send_raw(GetParam().sent));
    if (!GetParam().told.empty()) {
        EXPECT_EQ(run(legs.device->receive_data(GetParam().told.size())), GetParam().told);
    }
    legs.service->reset();
    EXPECT_EQ(run(heard_by(*legs.device)), GetParam().other);
}
INSTANTIATE_TEST_SUITE_P(Cut, HubCutFrame,
                         testing::Values(FrameAttack{"AtTheBeginning", "", "", "close 1011"},
                                         FrameAttack{"InTheHeader", raw("\x82"), "", "close 1011"},
                                         FrameAttack{"InTheLength", raw("\x82\xff\0\0\0"), "", "close 1011"},
                                         FrameAttack{"InTheMask", raw("\x82\x85\1\2"), "", "close 1011"},
                                         FrameAttack{"InAPing", raw("\x89\x85\1\2\3\4x"), "", "close 1011"},
                                         FrameAttack{"InAMessage", raw("\x82\x85\0\0\0\0abc"), "abc", "close 1011"},
                                         FrameAttack{"InAMessageOf63Bits",
                                                     raw("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0abc"), "abc",
                                                     "close 1011"}),
                         frame_attack_name);

}  // namespace
}  // namespace device_streams::hub::bad_frames_test
