#include "common/net/dial.hpp"
#include "common/net/plain_stream.hpp"
#include "tests/component/support/hub_fixture.hpp"

#include <algorithm>
#include <array>

// What stands in front of a hub: balancers, reverse proxies, probes.
namespace device_streams::hub {
namespace {

using namespace std::string_literals;

const std::string proxy_line = "PROXY TCP4 203.0.113.7 192.0.2.1 51514 443\r\n";
const std::string local_header("\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00", 16);
const std::string binary_header("\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x07\xc0\x00\x02\x01\xc9\x3a\x01\xbb",
                                28);

class HubFrontEnds : public HubTest {
 protected:
    HubFrontEnds() {
        config.listen_plain = config.listen;
        config.limits.connections.tls_timeout = 1s;
    }
    void trust_this_machine() {
        config.limits.connections.trusted_proxies = {TrustedProxy::parse("127.0.0.1").value()};
        start_hub();
    }

    asio::awaitable<std::unique_ptr<Socket>> dial_and_say(std::uint16_t port, std::string first) {
        const Endpoint endpoint{"127.0.0.1", port, {}};
        auto socket = co_await dial(endpoint, clock);
        EXPECT_EQ(socket.try_send(std::as_bytes(std::span(first))), first.size());
        co_return std::make_unique<Socket>(std::move(socket));
    }
    /// TLS behind these first bytes.
    std::unique_ptr<http::Connection> connect(const std::string& first = {}, std::uint16_t port = 0) {
        auto opening = [this](std::string text, std::uint16_t where) -> asio::awaitable<std::unique_ptr<TlsStream>> {
            auto socket = co_await dial_and_say(where, std::move(text));
            auto stream = std::make_unique<TlsStream>(std::move(socket), tls, "localhost");
            co_await stream->handshake();
            co_return stream;
        };
        return std::make_unique<http::Connection>(run(opening(first, port == 0 ? address.port : port)));
    }
    std::unique_ptr<http::Connection> connect_plainly(const std::string& first = {}) {
        auto socket = run(dial_and_say(stream_hub().plain_endpoint()->port, first));
        return std::make_unique<http::Connection>(std::make_unique<PlainStream>(std::move(socket)));
    }
    http::Response ask(http::Connection& connection, http::Headers headers, const std::string& target = "") {
        http::Request request;
        request.method = "POST";
        request.target = target.empty() ? "/twins/dev-01/streams/ssh" : target;
        request.headers = std::move(headers);
        request.headers.add("Host", "localhost");
        return run(connection.exchange(request));
    }
    /// A request that is refused with a log line about its sender.
    void be_refused(http::Connection& connection, http::Headers headers = {}) {
        EXPECT_EQ(ask(connection, std::move(headers)).status, 401);
    }
    http::Headers authorized() const {
        const auto token = iothub::make_sas_token("localhost", service_key, clock.unix_seconds() + 3600, "service");
        return {{"Authorization", std::string(token.reveal())}};
    }
    std::string say(http::Connection& connection, const std::string& text) {
        auto exchange = [](Transport& stream, std::string question) -> asio::awaitable<std::string> {
            co_await write_text(stream, std::move(question));
            std::string answer(4096, '\0');
            const auto size = co_await stream.read_some(std::as_writable_bytes(std::span(answer)));
            co_return answer.substr(0, size);
        };
        return run(exchange(connection.transport(), text));
    }
    /// What was said before a good connection came and went is all there.
    std::ptrdiff_t lines_by_now() {
        be_refused(*connect());
        EXPECT_TRUE(test::eventually([&] { return logged("the authorization") || logged("DS-601"); }));
        const auto all = lines->lines();
        return std::ranges::count_if(all, [](const auto& line) { return !line.starts_with("debug TLS is up"); });
    }
};

// The PROXY protocol.

TEST_F(HubFrontEnds, ProxyHeaderNamesTheClientOnEveryPort) {
    trust_this_machine();
    for (const auto& header : {proxy_line, binary_header}) {
        be_refused(*connect(header));
        be_refused(*connect_plainly(header));
    }
    EXPECT_TRUE(test::eventually([&] {
        const auto all = lines->lines();
        return std::ranges::count_if(all, [](const auto& line) {
                   return line.find("DS-601") != line.npos && line.find(" peer=203.0.113.7:51514 ") != line.npos;
               }) == 4;
    })) << whole_log();
    const auto device_port = connect(proxy_line, address.mqtt_port);
    run(write_text(device_port->transport(), "no MQTT at all"));
    EXPECT_TRUE(eventually_logged("DS-602")) << whole_log();
    EXPECT_TRUE(logged("DS-602") && !logged("peer=127.0.0.1")) << whole_log();
}

TEST_F(HubFrontEnds, SilentLinksOfItsClientsMakeRoomForNewcomers) {
    config.limits.connections.connections_without_login = 4;
    trust_this_machine();
    std::vector<std::unique_ptr<http::Connection>> links;
    for (int client = 1; client <= 20; ++client) {
        http::Request upgrade;
        upgrade.method = "GET";
        upgrade.target = "/$iothub/websocket";
        upgrade.headers = {{"Host", "localhost"},
                           {"Connection", "Upgrade"},
                           {"Upgrade", "websocket"},
                           {"Sec-WebSocket-Version", "13"},
                           {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                           {"Sec-WebSocket-Protocol", "mqtt"},
                           {"X-Forwarded-For", "203.0.113." + std::to_string(client)}};
        links.push_back(connect_plainly());
        ASSERT_EQ(run(links.back()->exchange(upgrade)).status, 101) << "client " << client;
    }
}

TEST_F(HubFrontEnds, BalancerMaySpeakForItself) {
    trust_this_machine();
    be_refused(*connect(local_header));
    EXPECT_TRUE(eventually_logged("peer=127.0.0.1:")) << whole_log();
}

TEST_F(HubFrontEnds, TrustedPeerMayLeaveTheHeaderOut) {
    trust_this_machine();
    be_refused(*connect());
    be_refused(*connect_plainly());
}

TEST_F(HubFrontEnds, StrangersHeaderIsNoHeader) {
    start_hub();
    EXPECT_ANY_THROW(connect(proxy_line));
    EXPECT_TRUE(eventually_logged("DS-605")) << whole_log();
    EXPECT_FALSE(logged("203.0.113.7")) << whole_log();
}

TEST_F(HubFrontEnds, MalformedHeaderEndsTheConnection) {
    trust_this_machine();
    for (const std::string& header :
         {"PROXY nonsense\r\n"s, "PR" + std::string(200, 'x'), "\r\n\r\nnothing of the kind"s})
        EXPECT_ANY_THROW(connect(header)) << header;
    EXPECT_TRUE(eventually_logged("its PROXY header is malformed")) << whole_log();
}

TEST_F(HubFrontEnds, HeaderThatDoesNotEndIsTimedOut) {
    trust_this_machine();
    const auto slow = run(dial_and_say(address.port, "P"));
    const auto slower = run(dial_and_say(stream_hub().plain_endpoint()->port, "PROXY TCP4"));
    EXPECT_TRUE(eventually_logged("TLS was not up in time")) << whole_log();
    EXPECT_TRUE(eventually_logged("its PROXY header was not complete in time")) << whole_log();
}

TEST_F(HubFrontEnds, ClientsOfABalancerAreCountedByTheirOwnAddress) {
    config.limits.connections.connections_per_address = 1;
    trust_this_machine();
    const auto first = connect(proxy_line);
    const auto second = connect(proxy_line);
    EXPECT_TRUE(eventually_logged("too many connections without login")) << whole_log();
    EXPECT_ANY_THROW(be_refused(*first)) << "it has given its place away";
    be_refused(*second);
    be_refused(*connect("PROXY TCP4 203.0.113.8 192.0.2.1 51514 443\r\n"));
}

// Headers of HTTP.

TEST_F(HubFrontEnds, EachRequestOfAReverseProxyHasItsOwnClient) {
    trust_this_machine();
    const auto connection = connect();
    be_refused(*connection, {{"X-Forwarded-For", "203.0.113.7"}});
    be_refused(*connection, {{"Forwarded", "for=\"[2001:db8::7]:51514\""}});
    EXPECT_TRUE(eventually_logged("peer=203.0.113.7")) << whole_log();
    EXPECT_TRUE(eventually_logged("peer=[2001:db8::7]:51514")) << whole_log();
    be_refused(*connection);
    EXPECT_TRUE(eventually_logged("peer=127.0.0.1:")) << whole_log();
}

TEST_F(HubFrontEnds, GarbageIsNotThatOfAnEarlierRequestsClient) {
    trust_this_machine();
    const auto connection = connect();
    be_refused(*connection, {{"X-Forwarded-For", "203.0.113.7"}});
    EXPECT_TRUE(eventually_logged("DS-601 peer=203.0.113.7")) << whole_log();
    say(*connection, "no HTTP\r\n\r\n");
    EXPECT_TRUE(eventually_logged("DS-602 peer=127.0.0.1:")) << whole_log();
}

TEST_F(HubFrontEnds, StrangersHeadersAreIgnored) {
    start_hub();
    be_refused(*connect(), {{"X-Forwarded-For", "203.0.113.7"}, {"Forwarded", "for=203.0.113.8"}});
    EXPECT_TRUE(eventually_logged("peer=127.0.0.1:")) << whole_log();
    EXPECT_FALSE(logged("203.0.113.")) << whole_log();
}

// The client of a balancer that passes TCP through writes its own headers.
TEST_F(HubFrontEnds, HeadersOfABalancersClientAreIgnored) {
    trust_this_machine();
    be_refused(*connect(proxy_line), {{"X-Forwarded-For", "192.0.2.66"}});
    EXPECT_TRUE(eventually_logged("peer=203.0.113.7:51514")) << whole_log();
    EXPECT_FALSE(logged("192.0.2.66")) << whole_log();
}

TEST_F(HubFrontEnds, HeadersThatDisagreeAreRefused) {
    trust_this_machine();
    const auto answer = ask(*connect(), {{"X-Forwarded-For", "203.0.113.7"}, {"Forwarded", "for=192.0.2.66"}});
    EXPECT_EQ(answer.status, 400);
    EXPECT_TRUE(eventually_logged("name different clients")) << whole_log();
}

TEST_F(HubFrontEnds, ClientsOfAReverseProxyAreCountedByTheirOwnAddress) {
    config.limits.connections.connections_per_address = 1;
    trust_this_machine();
    const http::Headers client{{"X-Forwarded-For", "203.0.113.7"}};
    const auto first = connect(), second = connect(), third = connect();
    be_refused(*first, client);
    EXPECT_EQ(ask(*second, client).status, 429);
    be_refused(*third, {{"X-Forwarded-For", "203.0.113.8"}});
    be_refused(*first, {{"X-Forwarded-For", "203.0.113.9"}});  // its place is free again
    be_refused(*third, client);
}

// Without TLS.

TEST_F(HubFrontEnds, StreamRunsThroughThePlainPort) {
    start_hub();
    const auto device = online_device();
    const auto connection = connect_plainly();
    auto asking = [&]() -> asio::awaitable<http::Response> {
        http::Request request;
        request.method = "POST";
        request.target = "/twins/dev-01/streams/ssh.0a1b2c3d";
        request.headers = authorized();
        request.headers.add("Host", "localhost");
        co_return co_await connection->exchange(request);
    };
    auto asked = start(asking());
    const auto request = run(device->next_request());
    run(device->answer(200, request.request_id));
    const auto granted = finish(asked);
    ASSERT_EQ(granted.status, 200);
    hub_clients::LegClient leg(address);
    EXPECT_EQ(run(leg.open_on(*connection, hub_clients::ticket_of(granted))).status, 101);
    const auto device_leg = open_leg({request.url, request.token});
    run(leg.send(ws::Opcode::binary, "plain"));
    EXPECT_EQ(run(device_leg->receive_data(5)), "plain");
    run(device_leg->send(ws::Opcode::binary, "secret"));
    EXPECT_EQ(run(leg.receive_data(6)), "secret");
}

TEST_F(HubFrontEnds, HubNeedsNoCertificateWithoutTls) {
    config.listen.reset();
    config.mqtt_listen.reset();
    config.certificate = config.key = "/nowhere.pem";
    config.public_url.port = 443;
    hub.emplace(
        background, lines,
        [this](Registry::OnRevoked on_revoked) {
            return std::make_unique<SqliteRegistry>(registry_file, SqliteRegistry::Mode::create_new, clock,
                                                    std::move(on_revoked));
        },
        config);
    be_refused(*connect_plainly());
    hub->on_control([this](StreamHub& running) { running.apply(config); });
    be_refused(*connect_plainly());
}

// Below a prefix.

TEST_F(HubFrontEnds, PrefixOfThePublicUrlMayBeThereOrNot) {
    config.public_url.path = "/streams";
    start_hub();
    const auto device = online_device();
    const auto service = service_client();
    auto asking = start(service->request("POST", "/streams/twins/dev-01/streams/ssh", no_wait));
    const auto request = run(device->next_request());
    run(device->answer(200, request.request_id));
    const auto granted = hub_clients::ticket_of(finish(asking));
    EXPECT_NE(granted.url.find("/streams/bridges/ih/hub1/"), std::string::npos) << granted.url;
    EXPECT_NE(request.url.find("/streams/bridges/ih/hub1/"), std::string::npos) << request.url;
    const auto service_leg = open_leg(granted);
    auto without = request.url;
    without.erase(without.find("/streams/bridges"), std::string_view("/streams").size());
    const auto device_leg = open_leg({without, request.token});
    run(service_leg->send(ws::Opcode::binary, "x"));
    EXPECT_EQ(run(device_leg->receive_data(1)), "x");
    EXPECT_EQ(run(service->request("GET", "/streamstwins/")).status, 404);
}

// Probes.

TEST_F(HubFrontEnds, ConnectionsThatSaidNothingAreNotWorthALine) {
    trust_this_machine();
    const auto before = lines_by_now();
    for (const auto port : {address.port, address.mqtt_port, stream_hub().plain_endpoint()->port}) {
        run(dial_and_say(port, ""))->close();
        run(dial_and_say(port, ""))->reset();
        run(dial_and_say(port, local_header))->close();
        run(dial_and_say(port, local_header))->reset();
    }
    for (const auto& first : {""s, proxy_line}) {
        std::array<std::byte, 1> room;
        const auto silent = run(dial_and_say(address.port, first));
        const auto end = test::eventually([&] { return silent->try_recv(room) == 0U; });
        EXPECT_TRUE(end) << "it is not kept for ever";
    }
    EXPECT_EQ(lines_by_now(), before + 1) << whole_log();
}

TEST_F(HubFrontEnds, ProbesAreAnsweredWithoutALine) {
    start_hub();
    const auto before = lines_by_now();
    for (const std::string path : {"/healthz", "/livez"}) {
        const auto connection = connect();
        EXPECT_TRUE(say(*connection, "GET " + path + " HTTP/1.1\r\nHost: x\r\nUser-Agent: kube-probe/1.30\r\n\r\n")
                        .starts_with("HTTP/1.1 200 OK"));
        EXPECT_TRUE(say(*connection, "HEAD " + path + " HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200 OK"));
    }
    EXPECT_TRUE(say(*connect_plainly(), "GET /healthz HTTP/1.0\r\n\r\n").ends_with("\r\n\r\nok\n"));
    EXPECT_TRUE(say(*connect_plainly(), "OPTIONS / HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200 OK"));
    EXPECT_TRUE(say(*connect_plainly(), "POST /healthz HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 404"));
    EXPECT_EQ(lines_by_now(), before + 1) << whole_log();
}

// What a front end has removed.

TEST_F(HubFrontEnds, AnUpgradeThatWasRemovedIsNamed) {
    start_hub();
    const auto connection = connect();
    http::Request request;
    request.method = "GET";
    request.target = "/$iothub/websocket?iothub-no-client-cert=true";
    request.headers = {{"Host", "localhost"}, {"Sec-WebSocket-Protocol", "mqtt"}, {"Connection", "close"}};
    const auto answer = run(connection->exchange(request));
    EXPECT_EQ(answer.status, 426);
    EXPECT_EQ(answer.headers.find("Upgrade"), "websocket");
}

}  // namespace
}  // namespace device_streams::hub
