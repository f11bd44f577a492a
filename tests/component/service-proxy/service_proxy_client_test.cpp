#include "common/async/join.hpp"
#include "common/base/error.hpp"
#include "tests/component/support/service_proxy_fixture.hpp"

namespace device_streams::service {
namespace {

// What a local client may do while its stream is not up yet, and while it runs.
struct LocalClient : ScriptedHubTest {
    // The hub holds each request back until released, and then echoes; it notes requests that were dropped.
    void start_holding_hub() {
        start_hub([this](http::Connection& connection, int) -> asio::awaitable<void> {
            co_await connection.read_request();
            ++posts;
            if (!released) co_await first_of(connection.until_peer_leaves(), until_released());
            if (!released) {
                ++dropped;
                co_return;
            }
            co_await connection.write_response(granting(hub_port, "half-close"));
            auto upgrade = co_await connection.read_request();
            ws::WsOptions options;
            options.half_close = true;
            co_await test::echo_stream(connection, std::move(upgrade), options);
        });
        start_proxy();
    }
    asio::awaitable<void> until_released() {
        while (!released) co_await clock.sleep_for(1ms);
    }
    BlockingSocket connect_and_wait_for_request() {
        const int before = posts;
        auto client = connect();
        EXPECT_TRUE(test::eventually([&] { return posts > before; }));
        return client;
    }

    SystemClock clock;
    std::atomic<bool> released = false;
    std::atomic<int> dropped = 0;
};

TEST_F(LocalClient, BytesSentEarlyAreDelivered) {
    start_holding_hub();
    auto client = connect_and_wait_for_request();
    const std::string early(100'000, 'e');
    client.send(early);
    released = true;
    EXPECT_EQ(client.receive(early.size()), early);
}

TEST_F(LocalClient, EndAfterEarlyBytesIsDeliveredBehindThem) {
    start_holding_hub();
    auto client = connect_and_wait_for_request();
    client.send("only question");
    client.shut_down_writing();
    std::this_thread::sleep_for(50ms);
    EXPECT_EQ(dropped, 0);
    released = true;
    EXPECT_EQ(client.receive(100), "only question");
}

TEST_F(LocalClient, EndBeforeAnyByteCancelsTheRequest) {
    start_holding_hub();
    auto client = connect_and_wait_for_request();
    client.shut_down_writing();
    EXPECT_TRUE(test::eventually([&] { return dropped == 1; }));
    EXPECT_EQ(client.how_it_ends(), "reset");
    EXPECT_TRUE(test::eventually([&] { return lines->contains("stream request cancelled"); })) << logged();
}

TEST_F(LocalClient, ResetCancelsTheRequest) {
    start_holding_hub();
    auto client = connect_and_wait_for_request();
    client.reset();
    EXPECT_TRUE(test::eventually([&] { return dropped == 1; }));
}

TEST_F(LocalClient, ResetAfterEarlyBytesCancelsTheRequest) {
    start_holding_hub();
    auto client = connect_and_wait_for_request();
    client.send("early");
    client.reset();
    EXPECT_TRUE(test::eventually([&] { return dropped == 1; }));
}

TEST_F(LocalClient, OthersGoOnWhenOneLeaves) {
    start_holding_hub();
    auto staying = connect_and_wait_for_request();
    auto leaving = connect_and_wait_for_request();
    leaving.reset();
    EXPECT_TRUE(test::eventually([&] { return dropped == 1; }));
    released = true;
    staying.send("still here");
    EXPECT_EQ(staying.receive(10), "still here");
}

TEST_F(LocalClient, StreamIsLoggedOnceAtItsStartAndOnceAtItsEnd) {
    start_holding_hub();
    released = true;
    {
        auto client = connect();
        client.send("hello");
        client.shut_down_writing();
        EXPECT_EQ(client.receive(6), "hello");
    }
    ASSERT_TRUE(test::eventually([&] { return lines->contains("stream ended"); })) << logged();
    std::vector<std::string> about_the_stream;
    for (const auto& line : lines->lines())
        if (line.find(" stream=") != std::string::npos) about_the_stream.push_back(line);
    ASSERT_EQ(about_the_stream.size(), 2U) << logged();
    for (const auto& line : about_the_stream)
        EXPECT_NE(line.find("device=pump-17 service=ssh stream="), std::string::npos) << line;
    EXPECT_NE(about_the_stream[1].find("bytes_to_device=5 bytes_to_service=5"), std::string::npos) << logged();
    EXPECT_NE(about_the_stream[1].find("reason=closed by the "), std::string::npos) << logged();
}

TEST_F(LocalClient, StopEndsRequestsAndStreams) {
    start_holding_hub();
    released = true;
    auto streaming = connect();
    streaming.send("x");
    EXPECT_EQ(streaming.receive(1), "x");
    released = false;
    auto pending = connect_and_wait_for_request();
    proxy->stop();
    EXPECT_EQ(streaming.how_it_ends(), "reset");
    EXPECT_EQ(pending.how_it_ends(), "reset");
    EXPECT_TRUE(test::eventually([&] { return dropped == 1; }));
}

TEST_F(LocalClient, HandOverStopsListeningAndKeepsStreams) {
    start_holding_hub();
    released = true;
    auto client = connect();
    client.send("x");
    EXPECT_EQ(client.receive(1), "x");
    const auto address = (*proxy)->endpoints().at(0);
    proxy->on_control([](ServiceProxy& program) { program.stop_accepting(); });
    EXPECT_THROW(BlockingSocket::connect(address), std::system_error);
    client.send("y");
    EXPECT_EQ(client.receive(1), "y");
}

// Reloading.

Forward forward_on(std::uint16_t port, const std::string& device) {
    Forward forward;
    forward.listen = {.host = "127.0.0.1", .port = port, .path = {}};
    forward.device = device;
    return forward;
}

std::uint16_t free_port() {
    return test::BlockingListener().endpoint().port;
}

TEST_F(LocalClient, ReloadChangesForwardsAndLeavesStreamsAlone) {
    start_holding_hub();
    released = true;
    auto client = connect();
    client.send("x");
    EXPECT_EQ(client.receive(1), "x");
    const auto old_address = (*proxy)->endpoints().at(0);

    auto config = make_config();
    config.forwards = {forward_on(free_port(), "pump-18")};
    proxy->on_control([&](ServiceProxy& program) { program.apply(make_settings(config)); });
    EXPECT_THROW(BlockingSocket::connect(old_address), std::system_error);
    client.send("y");
    EXPECT_EQ(client.receive(1), "y");
    auto newcomer = connect();
    newcomer.send("z");
    EXPECT_EQ(newcomer.receive(1), "z");
    EXPECT_TRUE(test::eventually([&] { return lines->contains("stream opened device=pump-18"); })) << logged();
}

TEST_F(LocalClient, ReloadGivesAKeptForwardItsNewTarget) {
    start_holding_hub();
    released = true;
    auto config = make_config();
    config.forwards = {forward_on(free_port(), "pump-17")};
    proxy->on_control([&](ServiceProxy& program) { program.apply(make_settings(config)); });
    config.forwards[0].device = "pump-99";
    proxy->on_control([&](ServiceProxy& program) { program.apply(make_settings(config)); });
    auto client = connect();
    client.send("x");
    EXPECT_EQ(client.receive(1), "x");
    EXPECT_TRUE(test::eventually([&] { return lines->contains("stream opened device=pump-99"); })) << logged();
}

TEST_F(LocalClient, ReloadThatCannotListenChangesNothing) {
    start_holding_hub();
    released = true;
    const test::BlockingListener occupied;
    auto config = make_config();
    config.forwards = {forward_on(occupied.endpoint().port, "pump-18")};
    const auto apply = [&](ServiceProxy& program) { program.apply(make_settings(config)); };
    EXPECT_THROW(proxy->on_control(apply), Failure);
    auto client = connect();
    client.send("x");
    EXPECT_EQ(client.receive(1), "x");
}

TEST_F(LocalClient, PortInUseAtStartIsAFailureThatNamesIt) {
    const test::BlockingListener occupied;
    auto config = make_config();
    config.forwards = {forward_on(occupied.endpoint().port, "pump-17")};
    try {
        start_proxy(config);
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.errc(), Errc::listen_failed);
        EXPECT_NE(failure.detail().find(occupied.endpoint().to_string()), std::string::npos) << failure.detail();
    }
}

}  // namespace
}  // namespace device_streams::service
