#include "common/ws/handshake.hpp"

#include "tests/unit/ws/fake_transport.hpp"

#include <gtest/gtest.h>

namespace device_streams::ws {
namespace {

http::Request good_request(const http::Headers& more = {}) {
    http::Request request;
    request.method = "GET";
    request.target = "/bridges/ih/hub1/d/dev-01/sid/0f1e2d3c4b5a69788796a5b4c3d2e1f0/r/service";
    request.headers = {{"Host", "streams.iot.example:443"},
                       {"Upgrade", "WebSocket"},
                       {"Connection", "keep-alive, Upgrade"},
                       {"Sec-WebSocket-Version", "13"},
                       {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};
    for (const auto& [name, value] : more.fields()) request.headers.add(name, value);
    return request;
}

http::Request without(const std::string& name, const std::string& instead = {}) {
    http::Request request;
    request.method = "GET";
    const auto good = good_request();
    for (const auto& [field, value] : good.headers.fields())
        if (field != name) request.headers.add(field, value);
    if (!instead.empty()) request.headers.add(name, instead);
    return request;
}

TEST(AcceptHash, MatchesTheVector) {
    EXPECT_EQ(accept_hash("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(AnswerUpgrade, SwitchesProtocols) {
    const auto answer = answer_upgrade(good_request(), "");
    EXPECT_EQ(answer.status, 101);
    EXPECT_EQ(answer.headers.find("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    EXPECT_TRUE(answer.headers.has_token("Upgrade", "websocket"));
    EXPECT_TRUE(answer.headers.has_token("Connection", "upgrade"));
    EXPECT_FALSE(answer.headers.find("Sec-WebSocket-Protocol"));
}

TEST(AnswerUpgrade, EchoesTheSubprotocolAndNoExtension) {
    const auto request = good_request({{"Sec-WebSocket-Protocol", "MQTT, AMQP"},
                                       {"Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"}});
    const auto answer = answer_upgrade(request, first_subprotocol(request));
    EXPECT_EQ(answer.headers.find("Sec-WebSocket-Protocol"), "MQTT");
    EXPECT_FALSE(answer.headers.find("Sec-WebSocket-Extensions"));
}

TEST(AnswerUpgrade, RefusesOtherVersionsWith426) {
    for (const auto* version : {"8", "0", "13, 8", "13x", "14"}) {
        const auto answer = answer_upgrade(without("Sec-WebSocket-Version", version), "");
        EXPECT_EQ(answer.status, 426) << version;
        EXPECT_EQ(answer.headers.find("Sec-WebSocket-Version"), "13");
    }
    EXPECT_EQ(answer_upgrade(without("Sec-WebSocket-Version"), "").status, 426);
}

TEST(AnswerUpgrade, RefusesMissingOrWrongFieldsWith400) {
    EXPECT_EQ(answer_upgrade(without("Upgrade"), "").status, 426);
    EXPECT_EQ(answer_upgrade(without("Upgrade", "websockets"), "").status, 426);
    EXPECT_EQ(answer_upgrade(without("Connection"), "").status, 426);
    EXPECT_EQ(answer_upgrade(without("Connection", "not-upgrade"), "").status, 426);
    EXPECT_EQ(answer_upgrade(without("Sec-WebSocket-Key"), "").status, 400);
    for (const auto* key : {"short", "dGhlIHNhbXBsZSBub25jZQ=", "!GhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQAA"})
        EXPECT_EQ(answer_upgrade(without("Sec-WebSocket-Key", key), "").status, 400) << key;
}

TEST(AnswerUpgrade, RefusesOtherMethodsVersionsAndBodies) {
    auto request = good_request();
    request.method = "POST";
    EXPECT_EQ(answer_upgrade(request, "").status, 400);
    request = good_request();
    request.minor_version = 0;
    EXPECT_EQ(answer_upgrade(request, "").status, 400);
    request = good_request();
    request.body = "x";
    EXPECT_EQ(answer_upgrade(request, "").status, 400);
}

TEST(IsUpgrade, NoticesWrongUpgradesToo) {
    EXPECT_TRUE(is_upgrade(good_request()));
    EXPECT_TRUE(is_upgrade(without("Upgrade")));
    EXPECT_TRUE(is_upgrade(without("Sec-WebSocket-Key")));
    EXPECT_FALSE(is_upgrade(http::Request()));
}

TEST(FirstSubprotocol, KeepsTheClientsSpelling) {
    EXPECT_EQ(first_subprotocol(good_request({{"Sec-WebSocket-Protocol", " mqtt , MQTT"}})), "mqtt");
    EXPECT_EQ(first_subprotocol(good_request()), "");
}

class Upgrade : public testing::Test {
 protected:
    test::Driver driver;
    test::FakeTransport* transport = new test::FakeTransport(driver.io);
    http::Connection connection{std::unique_ptr<Transport>(transport)};

    /// Answers with 101, the right hash and `lines`.
    http::Response upgraded(const std::string& subprotocol, const std::string& lines, bool right_hash = true) {
        const ClientHandshake ask{"hub1.iot.example", "/x", subprotocol, {{"Authorization", "Bearer t"}}};
        auto asking = driver.start(upgrade(connection, ask));
        const auto request = http::parse_request_head(transport->sent);
        const auto key = std::string(request.headers.find("Sec-WebSocket-Key").value());
        transport->push("HTTP/1.1 101 Switching Protocols\r\n" + lines +
                        "Sec-WebSocket-Accept: " + accept_hash(right_hash ? key : "other") + "\r\n\r\n\x82\x01x");
        driver.poll();
        return asking.get();
    }
    static constexpr auto good = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
};

TEST_F(Upgrade, AsksAsRfc6455Demands) {
    EXPECT_EQ(upgraded("MQTT", std::string(good) + "Sec-WebSocket-Protocol: MQTT\r\n").status, 101);
    const auto request = http::parse_request_head(transport->sent);
    EXPECT_EQ(request.method, "GET");
    EXPECT_EQ(request.headers.find("Host"), "hub1.iot.example");
    EXPECT_EQ(request.headers.find("Authorization"), "Bearer t");
    EXPECT_EQ(answer_upgrade(request, "").status, 101);
}

TEST_F(Upgrade, KeepsTheFirstFrame) {
    upgraded("", good);
    std::vector<std::byte> early;
    connection.release(early);
    EXPECT_EQ(test::text_of(early), "\x82\x01x");
}

TEST_F(Upgrade, RefusesAWrongHash) {
    EXPECT_THROW(upgraded("", good, false), StreamError);
}

TEST_F(Upgrade, RefusesAnUnaskedSubprotocol) {
    EXPECT_THROW(upgraded("", std::string(good) + "Sec-WebSocket-Protocol: MQTT\r\n"), StreamError);
}

TEST_F(Upgrade, RefusesAnotherSubprotocolThanTheOneAsked) {
    EXPECT_THROW(upgraded("MQTT", std::string(good) + "Sec-WebSocket-Protocol: AMQP\r\n"), StreamError);
}

TEST_F(Upgrade, RefusesAnyExtension) {
    EXPECT_THROW(upgraded("", std::string(good) + "Sec-WebSocket-Extensions: permessage-deflate\r\n"), StreamError);
}

TEST_F(Upgrade, RefusesAnAnswerThatUpgradesToSomethingElse) {
    EXPECT_THROW(upgraded("", "Upgrade: h2c\r\nConnection: Upgrade\r\n"), StreamError);
}

TEST_F(Upgrade, ReturnsARefusalForTheCallerToExplain) {
    const ClientHandshake ask{"h", "/x", "", {}};
    auto asking = driver.start(upgrade(connection, ask));
    transport->push("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno");
    driver.poll();
    const auto answer = asking.get();
    EXPECT_EQ(answer.status, 401);
    EXPECT_EQ(answer.body, "no");
}

}  // namespace
}  // namespace device_streams::ws
