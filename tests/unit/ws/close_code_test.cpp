#include "common/ws/close_code.hpp"

#include "common/ws/control_slot.hpp"
#include "tests/unit/ws/fake_transport.hpp"

#include <gtest/gtest.h>

namespace device_streams::ws {
namespace {

using test::bytes_of;
using test::from_hex;
using test::text_of;
using test::to_hex;

std::string hub_close(CloseReason close_reason, bool extended = false) {
    return to_hex(
        text_of(make_control_frame(Opcode::close, make_close(close_reason, extended).bytes(), Role::server).bytes()));
}

TEST(CloseCode, HubFramesMatchTheVectors) {
    EXPECT_EQ(hub_close(CloseReason::clean), "880203e8");
    EXPECT_EQ(hub_close(CloseReason::lost), "881103f3575320646973636f6e6e6563746564");
}

TEST(CloseCode, AResetIsToldAsSuchOnlyBetweenPartiesOfOurs) {
    EXPECT_EQ(close_code(CloseReason::reset, true), 4001);
    EXPECT_EQ(hub_close(CloseReason::reset), hub_close(CloseReason::lost));
    EXPECT_EQ(hub_close(CloseReason::reset, true), "88020fa1");
}

TEST(CloseCode, EveryEndingHasItsCode) {
    EXPECT_EQ(close_code(CloseReason::stopping, false), 1001);
    EXPECT_EQ(close_code(CloseReason::protocol_violation, false), 1002);
    EXPECT_EQ(close_code(CloseReason::refused, false), 1008);
    EXPECT_EQ(close_code(CloseReason::too_big, false), 1009);
    EXPECT_EQ(close_code(CloseReason::cancelled, true), 1011);
    EXPECT_EQ(close_code(CloseReason::lost, true), 1011);
}

TEST(CloseCode, EveryCodeHasItsEnding) {
    EXPECT_EQ(reason_of_close_code(1000), CloseReason::clean);
    EXPECT_EQ(reason_of_close_code(1005), CloseReason::clean);
    EXPECT_EQ(reason_of_close_code(1001), CloseReason::stopping);
    EXPECT_EQ(reason_of_close_code(1012), CloseReason::stopping);
    EXPECT_EQ(reason_of_close_code(1002), CloseReason::protocol_violation);
    EXPECT_EQ(reason_of_close_code(1007), CloseReason::protocol_violation);
    EXPECT_EQ(reason_of_close_code(1008), CloseReason::refused);
    EXPECT_EQ(reason_of_close_code(1009), CloseReason::too_big);
    EXPECT_EQ(reason_of_close_code(4001), CloseReason::reset);
    EXPECT_EQ(reason_of_close_code(1011), CloseReason::lost);
    EXPECT_EQ(reason_of_close_code(4000), CloseReason::lost);
}

TEST(ParseClose, GivesTheCode) {
    EXPECT_EQ(parse_close({}).code, std::nullopt);
    EXPECT_EQ(parse_close(bytes_of(from_hex("03e8"))).code, 1000);
    EXPECT_EQ(parse_close(bytes_of(from_hex("0fa1") + "caf\xc3\xa9")).code, 4001);
}

TEST(ParseClose, RefusesWhatMustNotBeSent) {
    // one byte; 0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535; a reason cut inside a character
    for (const auto* hex :
         {"03", "0000", "03e7", "03ec", "03ed", "03ee", "03f7", "03f8", "0bb7", "1388", "ffff", "03e8c3", "03e8ff"}) {
        EXPECT_THROW(parse_close(bytes_of(from_hex(hex))), StreamError) << hex;
    }
}

TEST(ControlFrame, OfAClientIsMaskedWithAKeyOfItsOwn) {
    const auto payload = bytes_of("hello");
    auto one = make_control_frame(Opcode::ping, payload, Role::client);
    auto two = make_control_frame(Opcode::ping, payload, Role::client);
    EXPECT_NE(text_of(one.bytes()), text_of(two.bytes()));
    EXPECT_EQ(one.size, 2 + 4 + 5U);
    std::size_t size = 0;
    const auto header = read_header(one.bytes(), size);
    const auto body = one.bytes().subspan(size);
    apply_mask(body, *header->mask, 0);
    EXPECT_EQ(text_of(body), "hello");
}

TEST(ControlSlot, SendsTheNewestPongOnly) {
    test::Driver driver;
    test::FakeTransport transport(driver.io);
    ControlSlot slot;
    ControlPayload payload;
    for (const auto* text : {"old", "new"}) {
        payload.assign(bytes_of(text));
        slot.put_pong(payload);
    }
    slot.flush(transport, Role::server);
    EXPECT_EQ(transport.sent, "\x8a\x03new");
    EXPECT_TRUE(slot.empty());
}

TEST(ControlSlot, KeepsWhatTheTransportRefuses) {
    test::Driver driver;
    test::FakeTransport transport(driver.io);
    transport.accept_writes(false);
    ControlSlot slot;
    slot.put_ping();
    slot.flush(transport, Role::server);
    EXPECT_FALSE(slot.empty());
    transport.accept_writes(true);
    slot.flush(transport, Role::server);
    EXPECT_EQ(to_hex(transport.sent), "8900");
}

TEST(ControlSlot, SendsTheFirstCloseAndNothingAfterIt) {
    test::Driver driver;
    test::FakeTransport transport(driver.io);
    ControlSlot slot;
    slot.put_close(make_close(1000));
    slot.put_close(make_close(1001));
    slot.put_ping();
    slot.put_pong({});
    slot.flush(transport, Role::server);
    EXPECT_EQ(to_hex(transport.sent), "880203e8");
    EXPECT_TRUE(slot.closing());
    EXPECT_TRUE(slot.empty());
    EXPECT_FALSE(slot.take_close(Role::server));
}

}  // namespace
}  // namespace device_streams::ws
