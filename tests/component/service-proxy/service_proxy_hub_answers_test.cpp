#include "common/tunnel/leg_upgrade.hpp"
#include "tests/component/support/service_proxy_fixture.hpp"

namespace device_streams::service {
namespace {

using HubAnswers = ScriptedHubTest;

TEST_F(HubAnswers, StreamOfAForeignHubGetsAConnectionOfItsOwn) {
    start_hub([&](http::Connection& connection, int) -> asio::awaitable<void> {
        auto request = co_await connection.read_request();
        if (request.method == "GET") co_return co_await test::echo_stream(connection, std::move(request), {});
        ++posts;
        co_await connection.write_response(granting(hub_port));
        const bool upgraded_here = co_await connection.wait_for_request();
        if (upgraded_here) ++upgrades_behind_a_post;
    });
    start_proxy();
    auto client = connect();
    client.send("hello");
    EXPECT_EQ(client.receive(5), "hello");
    EXPECT_EQ(posts, 1);
    EXPECT_EQ(upgrades_behind_a_post, 0);
}

// Which might be the end of what the device said, or a cut.
TEST_F(HubAnswers, FloodOfEmptyMessagesFromAForeignHubIsNoEndOfFile) {
    start_hub([&](http::Connection& connection, int) -> asio::awaitable<void> {
        auto request = co_await connection.read_request();
        if (request.method != "GET") {
            co_await connection.write_response(granting(hub_port));
            co_await connection.wait_for_request();
            co_return;
        }
        auto answer = ws::answer_upgrade(request, "");
        co_await connection.write_response(std::move(answer));
        std::string frames = "\x82\x04last";
        for (int i = 0; i < 64; ++i) frames += std::string("\x82\0", 2);
        co_await write_text(connection.transport(), std::move(frames));
        std::array<std::byte, 1024> room;
        while (co_await connection.transport().read_some(room) > 0) continue;
    });
    auto config = make_config();
    config.relay.linger = 100ms;
    start_proxy(config);
    auto client = connect();
    EXPECT_EQ(client.receive(4), "last");
    EXPECT_EQ(client.how_it_ends(), "reset");
    EXPECT_TRUE(test::eventually([&] { return lines->contains("only empty messages came"); })) << logged();
}

TEST_F(HubAnswers, OurHubGetsTheLegOnTheConnectionOfTheRequest) {
    start_hub([&](http::Connection& connection, int) -> asio::awaitable<void> {
        auto request = co_await connection.read_request();
        ++posts;
        co_await connection.write_response(granting(hub_port, "half-close"));
        request = co_await connection.read_request();
        ++upgrades_behind_a_post;
        ws::WsOptions options;
        options.half_close = true;
        co_await test::echo_stream(connection, std::move(request), options);
    });
    start_proxy();
    auto client = connect();
    client.send("hello");
    client.shut_down_writing();
    EXPECT_EQ(client.receive(6), "hello");
    EXPECT_EQ(upgrades_behind_a_post, 1);
}

TEST_F(HubAnswers, TheRequestsConnectionBecomesTheLegOfAHubThatIsKnownAsOurs) {
    std::atomic<int> offered = 0;
    start_hub([&](http::Connection& connection, int) -> asio::awaitable<void> {
        if (!co_await connection.wait_for_request()) co_return;
        auto request = co_await connection.read_request();
        if (!has_leg_upgrade(request.headers)) {
            co_await connection.write_response(granting(hub_port, "none"));
            request = co_await connection.read_request();
            co_return co_await test::echo_stream(connection, std::move(request), {});
        }
        ++offered;
        http::Response answer;
        answer.status = 101;
        add_leg_upgrade(answer.headers);
        answer.headers.add(std::string(features_header), "half-close");
        ws::WsOptions options;
        options.half_close = true;
        co_await test::echo_leg(connection, std::move(answer), options);
    });
    start_proxy();
    for (int i = 0; i < 3; ++i) {
        auto client = connect();
        client.send("hello");
        client.shut_down_writing();
        EXPECT_EQ(client.receive(6), "hello");
    }
    EXPECT_EQ(offered, 2);
}

// Our hub gives the stream up when that connection ends first, and here everything else would end it.
TEST_F(HubAnswers, ConnectionThatAskedStaysUntilTheLegIsThere) {
    SystemClock clock;
    std::atomic<bool> leg_wanted = false, released = false, leg_up = false, left = false, left_too_early = false;
    test::ScriptedHub legs(background, certificates, [&](http::Connection& connection, int) -> asio::awaitable<void> {
        auto upgrade = co_await connection.read_request();
        leg_wanted = true;
        while (!released) co_await clock.sleep_for(1ms);
        leg_up = true;
        co_await test::echo_stream(connection, std::move(upgrade), {});
    });
    start_hub([&](http::Connection& connection, int) -> asio::awaitable<void> {
        if (!co_await connection.wait_for_request()) co_return;
        co_await connection.read_request();
        co_await connection.write_response(granting(legs.endpoint().port, "none"));
        co_await connection.wait_for_request();
        left_too_early = !leg_up;
        left = true;
    });
    start_proxy();
    auto client = connect();
    client.send("hello");
    ASSERT_TRUE(test::eventually([&] { return leg_wanted && hub->connections() == 2; }));
    proxy->on_control([&](ServiceProxy& running) { running.apply(make_settings(make_config())); });
    ASSERT_TRUE(test::eventually([&] { return hub->connections_ended() >= 1; }));
    released = true;
    EXPECT_EQ(client.receive(5), "hello");
    EXPECT_TRUE(test::eventually([&] { return left.load(); }));
    EXPECT_FALSE(left_too_early);
}

TEST_F(HubAnswers, RequestCarriesTargetCredentialLimitsAndFeatures) {
    http::Request seen;
    std::atomic<bool> done = false;
    start_hub([&](http::Connection& connection, int) -> asio::awaitable<void> {
        seen = co_await connection.read_request();
        done = true;
        co_await connection.write_response(refusing(500));
    });
    start_proxy();
    expect_no_stream("DS-308");
    ASSERT_TRUE(done);
    EXPECT_TRUE(seen.target.starts_with("/twins/pump-17/streams/ssh.")) << seen.target;
    EXPECT_TRUE(seen.headers.find("Authorization").value_or("").starts_with("SharedAccessSignature sr=localhost&"));
    EXPECT_EQ(seen.headers.find("Host"), "localhost:" + std::to_string(hub_port));
    EXPECT_EQ(seen.headers.find("iothub-streaming-connect-timeout-in-seconds"), "15");
    EXPECT_EQ(seen.headers.find(features_header), to_string(own_features));
    EXPECT_EQ(seen.headers.find("Content-Length"), "0");
}

TEST_F(HubAnswers, AWarmConnectionWaitsBeforeAnyClientCame) {
    start_hub(
        [&](http::Connection& connection, int) -> asio::awaitable<void> { co_await connection.wait_for_request(); });
    start_proxy();
    EXPECT_TRUE(test::eventually([&] { return hub->connections() == 1; }));
}

TEST_F(HubAnswers, ConnectionIsUsedAgainAfterARefusal) {
    std::atomic<int> most_on_one = 0;
    start_hub([&](http::Connection& connection, int) -> asio::awaitable<void> {
        for (int here = 1; co_await connection.wait_for_request(); ++here) {
            co_await connection.read_request();
            co_await connection.write_response(refusing(500));
            most_on_one = std::max(most_on_one.load(), here);
        }
    });
    start_proxy();
    for (int i = 0; i < 3; ++i) expect_no_stream("DS-308");
    EXPECT_GE(most_on_one, 2);
}

// The first request is refused, so that its connection is kept for the second.
TEST_F(HubAnswers, KeptConnectionThatDiesUnansweredIsReplacedOnce) {
    start_hub([&](http::Connection& connection, int) -> asio::awaitable<void> {
        while (co_await connection.wait_for_request()) {
            auto request = co_await connection.read_request();
            if (request.method == "GET") co_return co_await test::echo_stream(connection, std::move(request), {});
            if (++posts == 2) co_return;
            auto answer = posts == 1 ? refusing(500) : granting(hub_port, "none");
            co_await connection.write_response(std::move(answer));
        }
    });
    start_proxy();
    expect_no_stream("DS-308");
    auto client = connect();
    client.send("x");
    EXPECT_EQ(client.receive(1), "x");
    EXPECT_EQ(posts, 3);
}

// The hub may wait long for the device; that its kernel has the request is known after 40 ms.
TEST_F(HubAnswers, RequestIsNotRepeatedWhileTheHubTakesItsTime) {
    SystemClock clock;
    start_hub([&](http::Connection& connection, int) -> asio::awaitable<void> {
        if (!co_await connection.wait_for_request()) co_return;
        co_await connection.read_request();
        ++posts;
        co_await clock.sleep_for(800ms);
        co_await connection.write_response(granting(hub_port, "none"));
        auto upgrade = co_await connection.read_request();
        co_await test::echo_stream(connection, std::move(upgrade), {});
    });
    auto settings = make_settings(make_config());
    settings.open.warm.unacknowledged = 500ms;
    proxy.emplace(background, lines, settings);
    ASSERT_TRUE(test::eventually([&] { return hub->connections() == 1; }));
    auto client = connect();
    client.send("x");
    EXPECT_EQ(client.receive(1), "x");
    EXPECT_EQ(posts, 1);
}

TEST_F(HubAnswers, RequestIsNotRepeatedOnceTheAnswerBegan) {
    start_hub([&](http::Connection& connection, int) -> asio::awaitable<void> {
        while (co_await connection.wait_for_request()) {
            co_await connection.read_request();
            if (++posts == 2) co_return co_await write_text(connection.transport(), "HTTP/1.1 200 OK\r\nContent-Le");
            co_await connection.write_response(refusing(500));
        }
    });
    start_proxy();
    expect_no_stream("DS-308");
    expect_no_stream("DS-201");
    EXPECT_EQ(posts, 2);
}

TEST_F(HubAnswers, ThrottledRequestIsMadeAgain) {
    start_hub([&](http::Connection& connection, int) -> asio::awaitable<void> {
        while (co_await connection.wait_for_request()) {
            auto request = co_await connection.read_request();
            if (request.method == "GET") co_return co_await test::echo_stream(connection, std::move(request), {});
            const bool enough = ++posts == 3;
            auto answer = enough ? granting(hub_port, "none") : refusing(429);
            co_await connection.write_response(std::move(answer));
        }
    });
    start_proxy();
    auto client = connect();
    client.send("x");
    EXPECT_EQ(client.receive(1), "x");
    EXPECT_EQ(posts, 3);
}

TEST_F(HubAnswers, ThrottledRequestIsMadeAgainWhenTheHubSaysSo) {
    Clock::time_point first;
    std::atomic<Clock::duration::rep> between = 0;
    start_hub([&](http::Connection& connection, int) -> asio::awaitable<void> {
        while (co_await connection.wait_for_request()) {
            auto request = co_await connection.read_request();
            if (request.method == "GET") co_return co_await test::echo_stream(connection, std::move(request), {});
            const auto now = std::chrono::steady_clock::now();
            const bool again = ++posts == 2;
            if (again)
                between = (now - first).count();
            else
                first = now;
            auto answer = again ? granting(hub_port, "none") : refusing(429);
            answer.headers.add("Retry-After", "1");
            co_await connection.write_response(std::move(answer));
        }
    });
    start_proxy();
    auto client = connect();
    client.send("x");
    EXPECT_EQ(client.receive(1), "x");
    EXPECT_EQ(posts, 2);
    EXPECT_GE(Clock::duration(between), 1s);
}

TEST_F(HubAnswers, RequestThatIsThrottledForLongFailsAtOnce) {
    start_hub([&](http::Connection& connection, int) -> asio::awaitable<void> {
        while (co_await connection.wait_for_request()) {
            co_await connection.read_request();
            ++posts;
            auto answer = refusing(429);
            answer.headers.add("Retry-After", "600");
            co_await connection.write_response(std::move(answer));
        }
    });
    start_proxy();
    expect_no_stream("DS-306");
    EXPECT_TRUE(lines->contains("Retry-After: 600 s"));
    EXPECT_EQ(posts, 1);
}

TEST_F(HubAnswers, EachRefusalHasItsCode) {
    http::Response verdict;
    start_hub([&](http::Connection& connection, int) -> asio::awaitable<void> {
        while (co_await connection.wait_for_request()) {
            co_await connection.read_request();
            co_await connection.write_response(verdict);
        }
    });
    start_proxy();
    const auto body = [](const std::string& code) {
        return R"({"Message":"{\"errorCode\":)" + code + R"(,\"message\":\"because\"}","ExceptionMessage":""})";
    };
    const std::pair<http::Response, std::string> cases[] = {
        {refusing(401, body("401002")), "DS-301"},
        {refusing(404, body("404001")), "DS-302"},
        {refusing(404, body("404103")), "DS-303"},
        {refusing(504, body("504101")), "DS-304"},
        {refusing(403, body("403002")), "DS-307"},
        {refusing(503), "DS-308"},
        {refusing(400, body("400004")), "DS-309"},
        {refusing(302), "DS-206"},
        {refusing(200), "DS-206"},
    };
    for (const auto& [answer, code] : cases) {
        verdict = answer;
        expect_no_stream(code);
    }
    EXPECT_TRUE(lines->contains("because"));
    verdict = refusing(200);
    verdict.headers.add("iothub-streaming-is-accepted", "False");
    expect_no_stream("DS-305");
    EXPECT_TRUE(lines->contains("leg=device"));
}

TEST_F(HubAnswers, HubThatSpeaksAnotherProtocolIsNamedSo) {
    start_hub([](http::Connection& connection, int) -> asio::awaitable<void> {
        co_await connection.read_request();
        co_await write_text(connection.transport(), "220 mail.example ESMTP\r\n\r\n");
    });
    start_proxy();
    expect_no_stream("DS-206");
}

TEST_F(HubAnswers, RefusedLegIsNamedSo) {
    start_hub([&](http::Connection& connection, int) -> asio::awaitable<void> {
        co_await connection.read_request();
        co_await connection.write_response(granting(hub_port, "none"));
        co_await connection.read_request();
        co_await connection.write_response(refusing(401, "token expired"));
    });
    start_proxy();
    expect_no_stream("DS-210");
    EXPECT_TRUE(lines->contains("token expired"));
}

TEST_F(HubAnswers, HubWithAnUnknownCertificateIsNotTalkedTo) {
    start_hub([&](http::Connection& connection, int) -> asio::awaitable<void> {
        co_await connection.read_request();
        ++posts;
    });
    const test::TestCertificates others;
    auto config = make_config();
    config.hub.ca_file = others.ca_file;
    start_proxy(config);
    expect_no_stream("DS-203");
    EXPECT_EQ(posts, 0);
}

TEST_F(HubAnswers, HubWithTheCertificateOfAnotherNameIsNotTalkedTo) {
    start_hub([&](http::Connection& connection, int) -> asio::awaitable<void> {
        co_await connection.read_request();
        ++posts;
    });
    start_proxy(make_config("hub9.example"));
    expect_no_stream("DS-203");
    EXPECT_EQ(posts, 0);
}

TEST_F(HubAnswers, HubThatAcceptsAndSaysNothingTimesOut) {
    test::BlockingListener silent;
    hub_port = silent.endpoint().port;
    auto config = make_config();
    config.open.hub = 200ms;
    start_proxy(config);
    expect_no_stream("DS-205");
}

TEST_F(HubAnswers, ListensWhileTheHubIsAwayAndWorksOnceItIsThere) {
    {
        test::BlockingListener placeholder;
        hub_port = placeholder.endpoint().port;
    }
    start_proxy();
    expect_no_stream("DS-201");
    start_hub(
        [&](http::Connection& connection, int) -> asio::awaitable<void> {
            while (co_await connection.wait_for_request()) {
                auto request = co_await connection.read_request();
                if (request.method == "GET") co_return co_await test::echo_stream(connection, std::move(request), {});
                co_await connection.write_response(granting(hub_port, "none"));
            }
        },
        hub_port);
    auto client = connect();
    client.send("x");
    EXPECT_EQ(client.receive(1), "x");
}

}  // namespace
}  // namespace device_streams::service
