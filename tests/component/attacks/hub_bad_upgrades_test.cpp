#include "tests/component/support/hub_under_attack.hpp"

// Upgrades to a leg and to MQTT, row by row. Words in braces are of a stream that waits for both its legs; an honest
// question follows unless the text ends with {cut} or, where the leg then waits, {leave}.
namespace device_streams::hub::bad_upgrades_test {
namespace {

std::string get(const std::string& target, const std::string& fields) {
    return "GET " + target + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n";
}
const std::string fields = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
const std::string version = "Sec-WebSocket-Version: 13\r\n";
const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const std::string bearer = "Authorization: Bearer {device token}\r\n";
const std::string good = fields + version + key;

std::string leg(const std::string& handshake) {
    return get("{device path}", handshake + bearer);
}
/// The device's token at another path.
std::string at(const std::string& path) {
    return get(path, good + bearer);
}
/// The right path with another field for the token.
std::string with(const std::string& authorization) {
    return get("{device path}", good + "Authorization: " + authorization + "\r\n");
}
std::string mqtt(const std::string& handshake) {
    return get("/$iothub/websocket", handshake);
}

class HubBadUpgrade : public HubUnderAttack, public testing::WithParamInterface<Attack> {
 protected:
    HubBadUpgrade() : device(online_device()), service(service_client()) {
        const auto tickets = open_stream(*device, *service);
        const auto other = open_stream(*device, *service, "ssh.11111111");
        const auto path_of = [](const hub_clients::Ticket& ticket) {
            return iothub::parse_stream_url(ticket.url)->target;
        };
        words["device path"] = Secret(path_of(tickets.device));
        words["service path"] = Secret(path_of(tickets.service));
        words["other path"] = Secret(path_of(other.device));
        words["device token"] = tickets.device.token;
        words["service token"] = tickets.service.token;
        words["other token"] = other.device.token;
        const std::string token(tickets.device.token.reveal());
        words["cut token"] = Secret(token.substr(0, token.size() - 1));
        words["unsigned token"] = Secret(token.substr(0, token.rfind('.') + 1));
        words["unsigned claims"] =
            Secret("eyJhbGciOiJub25lIn0" + token.substr(token.find('.'), token.rfind('.') + 1 - token.find('.')));
        const auto sid = path_of(tickets.device).find("/sid/") + 5;
        words["sid"] = Secret(path_of(tickets.device).substr(sid, 32));
    }
    ~HubBadUpgrade() override {
        device->vanish();
        service->leave();
    }
    std::unique_ptr<hub_clients::DeviceClient> device;
    std::unique_ptr<hub_clients::ServiceClient> service;
};

TEST_P(HubBadUpgrade, IsAnswered) {
    const auto text = filled(GetParam().sent);
    const auto whole = text.ends_with("{cut}") || text.ends_with("{leave}") ? text : text + test::http_question;
    EXPECT_EQ(test::http_transcript(answer_to(whole, address.port)), GetParam().told);
}

INSTANTIATE_TEST_SUITE_P(
    Handshake, HubBadUpgrade,
    testing::Values(
        Attack{"Honest", leg(good) + "{leave}", "101"},
        Attack{"NoUpgrade", leg("Connection: Upgrade\r\n" + version + key), "426"},
        Attack{"NoConnection", leg("Upgrade: websocket\r\n" + version + key), "426"},
        Attack{"OtherUpgrade", leg("Upgrade: h2c\r\nConnection: Upgrade\r\n" + version + key), "426"},
        Attack{"ConnectionCloses", leg("Upgrade: websocket\r\nConnection: close\r\n" + version + key), "426"},
        Attack{"NoVersion", leg(fields + key), "426"},
        Attack{"Version8", leg(fields + "Sec-WebSocket-Version: 8\r\n" + key), "426"},
        Attack{"TwoVersions", leg(fields + "Sec-WebSocket-Version: 8, 13\r\n" + key), "426"},
        Attack{"VersionNoNumber", leg(fields + "Sec-WebSocket-Version: thirteen\r\n" + key), "426"},
        Attack{"NoKey", leg(fields + version), "400"},
        Attack{"EmptyKey", leg(fields + version + "Sec-WebSocket-Key:\r\n"), "400"},
        Attack{"ShortKey", leg(fields + version + "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n"), "400"},
        Attack{"LongKey", leg(fields + version + "Sec-WebSocket-Key: " + times(4'000, "a") + "\r\n"), "400"},
        Attack{"KeyNoBase64", leg(fields + version + "Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!==\r\n"), "400"},
        Attack{"TwoKeys", leg(good + key), "400"},
        Attack{"ByPost", "POST {device path} HTTP/1.1\r\nHost: x\r\n" + good + bearer + "\r\n", "400"},
        Attack{"ByHead", "HEAD {device path} HTTP/1.1\r\nHost: x\r\n" + good + bearer + "\r\n", "400"},
        Attack{"InVersion10", "GET {device path} HTTP/1.0\r\nHost: x\r\n" + good + bearer + "\r\n", "400"},
        Attack{"WithBody", leg(good + "Content-Length: 1\r\n") + "x", "400"},
        Attack{"WithoutHost", "GET {device path} HTTP/1.1\r\n" + good + bearer + "\r\n{cut}", "400"},
        Attack{"Plain", leg(""), "426"},
        Attack{"BehindAnotherRequest", get("/", "") + leg(good) + "{leave}", "404 GenericNotFound, 101"},
        Attack{"BehindARefusal", get("{device path}", good) + leg(good) + "{leave}", "401, 101"},
        Attack{"TwiceAtOnce", leg(good) + leg(good), "101, close 1002"},
        Attack{"WithExtensions",
               leg(good + "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=99\r\n") + "{leave}",
               "101"},
        Attack{"WithEndlessSubprotocols",
               leg(good + "Sec-WebSocket-Protocol: " + times(2'000, "a, ") + "b\r\n") + "{leave}", "101"}),
    attack_name);

const std::string refused = "401, open";
INSTANTIATE_TEST_SUITE_P(
    Token, HubBadUpgrade,
    testing::Values(Attack{"Missing", get("{device path}", good), refused}, Attack{"Empty", with(""), refused},
                    Attack{"WithoutScheme", with("{device token}"), refused},
                    Attack{"SchemeAlone", with("Bearer"), refused}, Attack{"SchemeAndBlank", with("Bearer "), refused},
                    Attack{"Basic", with("Basic {device token}"), refused},
                    Attack{"TwoBlanks", with("Bearer  {device token}"), refused},
                    Attack{"SchemeInSmallLetters", with("bearer {device token}") + "{leave}", "101"},
                    Attack{"Twice", with("Bearer {device token}\r\nAuthorization: Bearer {device token}"), refused},
                    Attack{"TwoInOne", with("Bearer {device token} {device token}"), refused},
                    Attack{"Cut", with("Bearer {cut token}"), refused},
                    Attack{"Unsigned", with("Bearer {unsigned token}"), refused},
                    Attack{"SignedByNothing", with("Bearer {unsigned claims}"), refused},
                    Attack{"WithAFourthPart", with("Bearer {device token}.x"), refused},
                    Attack{"Dots", with("Bearer .."), refused},
                    Attack{"Long", with("Bearer " + times(14'000, "a")), refused},
                    Attack{"OfTheDevicesLogin", with("{device}"), refused},
                    Attack{"OfTheServicesRequests", with("{service}"), refused},
                    Attack{"OfTheOtherRole", with("Bearer {service token}"), refused},
                    Attack{"OfAnotherStream", with("Bearer {other token}"), refused},
                    Attack{"InTheTarget", get("{device path}?authorization=Bearer%20{device token}", good), refused}),
    attack_name);

INSTANTIATE_TEST_SUITE_P(
    Path, HubBadUpgrade,
    testing::Values(
        Attack{"OfTheOtherRole", at("{service path}"), refused}, Attack{"OfAnotherStream", at("{other path}"), refused},
        Attack{"OtherHub", at("/bridges/ih/hub2/d/dev-01/sid/{sid}/r/device"), refused},
        Attack{"OtherDevice", at("/bridges/ih/hub1/d/dev-02/sid/{sid}/r/device"), refused},
        Attack{"AModule", at("/bridges/ih/hub1/d/dev-01/m/m/sid/{sid}/r/device"), refused},
        Attack{"NoSuchRole", at("/bridges/ih/hub1/d/dev-01/sid/{sid}/r/admin"), refused},
        Attack{"NoRole", at("/bridges/ih/hub1/d/dev-01/sid/{sid}"), refused},
        Attack{"OfTheFirstPreview", at("/bridges/hub1/dev-01/{sid}"), refused},
        Attack{"ShortSid", at("/bridges/ih/hub1/d/dev-01/sid/0a1b/r/device"), refused},
        Attack{"SidNoHex", at("/bridges/ih/hub1/d/dev-01/sid/" + times(32, "z") + "/r/device"), refused},
        Attack{"EmptySegments", at("/bridges/ih//d//sid//r/"), refused},
        Attack{"NothingBehindIt", at("/bridges/"), refused}, Attack{"MoreBehindIt", at("{device path}/x"), refused},
        Attack{"SlashBehindIt", at("{device path}/"), refused},
        Attack{"ManySegments", at("/bridges" + times(2'000, "/x")), refused},
        Attack{"DotSegments", at("/bridges/../{device path}"), refused},
        Attack{"BadlyEncoded", at("/bridges/ih/hub1/d/%zz/sid/{sid}/r/device"), "400 ArgumentInvalid, open"},
        Attack{"InCapitals", at("/BRIDGES/ih/hub1/d/dev-01/sid/{sid}/r/device"), "404 GenericNotFound, open"},
        Attack{"EncodedDevice", at("/bridges/ih/hub1/d/dev%2D01/sid/{sid}/r/device") + "{leave}", "101"},
        Attack{"WithAQuery", at("{device path}?x=y") + "{leave}", "101"}),
    attack_name);

const std::string sub = "Sec-WebSocket-Protocol: mqtt\r\n";
INSTANTIATE_TEST_SUITE_P(
    Mqtt, HubBadUpgrade,
    testing::Values(
        Attack{"Honest", mqtt(good + sub) + "{cut}", "101, close 1000"},
        Attack{"NoSubprotocol", mqtt(good), "400, open"},
        Attack{"OtherSubprotocol", mqtt(good + "Sec-WebSocket-Protocol: soap\r\n"), "400, open"},
        Attack{"AmqpSubprotocol", mqtt(good + "Sec-WebSocket-Protocol: AMQPWSB10\r\n"), "501 NotImplemented, open"},
        Attack{"EmptySubprotocol", mqtt(good + "Sec-WebSocket-Protocol: ,,\r\n"), "400, open"},
        Attack{"SecondSubprotocol", mqtt(good + "Sec-WebSocket-Protocol: soap, MQTT\r\n") + "{cut}", "101, close 1000"},
        Attack{"NoUpgrade", mqtt(sub + version + key), "426"},
        Attack{"Version8", mqtt(fields + key + sub + "Sec-WebSocket-Version: 8\r\n"), "426"},
        Attack{"NoKey", mqtt(fields + version + sub), "400"},
        Attack{"ByPost", "POST /$iothub/websocket HTTP/1.1\r\nHost: x\r\n" + good + sub + "\r\n", "400"},
        Attack{"SlashBehindIt", get("/$iothub/websocket/", good + sub), "404 GenericNotFound, open"},
        Attack{"InCapitals", get("/$IOTHUB/WEBSOCKET", good + sub), "404 GenericNotFound, open"},
        Attack{"Encoded", get("/%24iothub/websocket", good + sub) + "{cut}", "101, close 1000"}),
    attack_name);

// Legs in time.

class HubOddLeg : public HubBadUpgrade {
 protected:
    int opened(hub_clients::LegClient& leg, const hub_clients::Ticket& ticket) { return run(leg.open(ticket)).status; }
};

TEST_F(HubOddLeg, TokenIsGoodOnceEvenWhileItsLegWaits) {
    const auto tickets = open_stream(*device, *service);
    const auto first = open_leg(tickets.device);
    hub_clients::LegClient again(address);
    EXPECT_EQ(opened(again, tickets.device), 409);
    const auto other = open_leg(tickets.service);
    run(first->send(ws::Opcode::binary, "first"));
    EXPECT_EQ(run(other->receive_data(5)), "first");
    hub_clients::LegClient third(address);
    EXPECT_NE(opened(third, tickets.device), 101);
    first->vanish();
    other->vanish();
}

TEST_F(HubOddLeg, TokenIsNoGoodWhenItsStreamIsOver) {
    const auto tickets = open_stream(*device, *service);
    const auto first = open_leg(tickets.device);
    const auto other = open_leg(tickets.service);
    run(first->send_close(1000));
    EXPECT_EQ(run(other->close_code()), 1000);
    first->vanish();
    other->vanish();
    for (const auto& ticket : {tickets.device, tickets.service}) {
        hub_clients::LegClient late(address);
        EXPECT_EQ(opened(late, ticket), 404);
    }
}

TEST_F(HubOddLeg, LegThatLeavesBeforeTheOtherEndsTheStream) {
    const auto tickets = open_stream(*device, *service);
    const auto first = open_leg(tickets.device);
    first->vanish();
    EXPECT_TRUE(eventually_logged("stream leg ended while it waited")) << whole_log();
    const auto refused_again = [&] {
        hub_clients::LegClient again(address);
        return opened(again, tickets.device) == 404;
    };
    EXPECT_TRUE(test::eventually(refused_again));
}

// Behind the request, before its answer.
TEST_F(HubOddLeg, FramesThatCameWithTheUpgradeAreDelivered) {
    const auto tickets = open_stream(*device, *service);
    words["early path"] = Secret(iothub::parse_stream_url(tickets.device.url)->target);
    words["early token"] = tickets.device.token;
    const auto early = run(hub_clients::dial_tls(address, address.port));
    run(write_text(*early, filled(get("{early path}", good + "Authorization: Bearer {early token}\r\n")) +
                               masked_frame(0x82, "early") + masked_frame(0x88, "\x03\xe8")));
    const auto other = open_leg(tickets.service);
    EXPECT_EQ(run(other->receive_data(5)), "early");
    EXPECT_EQ(run(other->close_code()), 1000);
    other->vanish();
    early->abort(CloseReason::lost);
}

}  // namespace
}  // namespace device_streams::hub::bad_upgrades_test
