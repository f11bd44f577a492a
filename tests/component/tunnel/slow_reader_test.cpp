// A local program that reads slowly while its leg to the hub ends badly: every byte that had come reaches it, and then
// it sees a reset.
#include "tests/component/support/device_proxy_fixture.hpp"
#include "tests/component/support/service_proxy_fixture.hpp"
#include "tests/support/pattern.hpp"

#include <thread>

namespace device_streams {
namespace {

using namespace std::chrono_literals;

struct LegEnd {
    const char* name;
    std::optional<CloseReason> close;  ///< nullopt: the connection ends without a Close
    const char* reason;                ///< that service-proxy logs
};

constexpr LegEnd leg_ends[] = {
    {"NoClose", std::nullopt, "without a WebSocket Close"},
    {"Close1001", CloseReason::stopping, "code 1001"},
    {"Close1002", CloseReason::protocol_violation, "code 1002"},
    {"Close1008", CloseReason::refused, "code 1008"},
    {"Close1011", CloseReason::lost, "code 1011"},
};

struct Row {
    LegEnd end;
    bool half_close;
};

std::vector<Row> rows() {
    std::vector<Row> all;
    for (const auto& end : leg_ends)
        for (const bool half_close : {false, true}) all.push_back({end, half_close});
    return all;
}

std::string name_of(const testing::TestParamInfo<Row>& info) {
    return info.param.end.name + std::string(info.param.half_close ? "Extended" : "Plain");
}

void expect_all_then_reset(test::BlockingSocket& reader, const std::string& sent) {
    std::this_thread::sleep_for(200ms);  // a slow reader is no other than one that begins late
    const auto received = reader.receive(sent.size());
    EXPECT_EQ(received.size(), sent.size());
    EXPECT_TRUE(received == sent) << "wrong bytes";
    EXPECT_EQ(reader.how_it_ends(), "reset");
}

struct SlowClient : service::ScriptedHubTest, testing::WithParamInterface<Row> {
    // The leg carries `down` and ends as the row says.
    asio::awaitable<void> serve(http::Connection& connection, http::Request upgrade) {
        co_await connection.write_response(ws::answer_upgrade(upgrade, ""));
        std::vector<std::byte> early;
        auto transport = connection.release(early);
        const ws::WsOptions options{.role = ws::Role::server, .half_close = GetParam().half_close};
        auto* const below = transport.get();
        ws::WsStream stream(std::move(transport), options, std::move(early));
        co_await write_text(stream, down);
        if (const auto close = GetParam().end.close)
            co_await stream.close(*close);
        else
            co_await below->close(CloseReason::clean);
    }
    void start() {
        start_hub([this](http::Connection& connection, int) -> asio::awaitable<void> {
            auto request = co_await connection.read_request();
            if (request.method == "POST") {
                const std::string features = GetParam().half_close ? "half-close" : "";
                co_await connection.write_response(service::granting(hub_port, features));
                if (!co_await connection.wait_for_request()) co_return;
                request = co_await connection.read_request();
            }
            auto leg = serve(connection, std::move(request));
            co_await std::move(leg);
        });
        start_proxy();
    }

    const std::string down = test::pattern(5'000'000, 7);
};

TEST_P(SlowClient, GetsAllThatCame) {
    start();
    auto client = connect();
    client.send("go");
    expect_all_then_reset(client, down);
    EXPECT_TRUE(test::eventually([&] { return lines->contains("stream ended"); }));
    EXPECT_TRUE(lines->contains(GetParam().end.reason)) << logged();
    EXPECT_TRUE(lines->contains("bytes_to_service=5000000")) << logged();
}

TEST_P(SlowClient, WithTheLastWordIsNoReasonForAWarning) {
    start();
    auto client = connect();
    client.send("go");
    client.shut_down_writing();
    expect_all_then_reset(client, down);
    EXPECT_TRUE(test::eventually([&] { return lines->contains("stream ended"); }));
    const bool broke_protocol = GetParam().end.close == CloseReason::protocol_violation;
    const bool by_policy = GetParam().end.close == CloseReason::refused;
    EXPECT_EQ(lines->contains("warning stream ended"), broke_protocol || by_policy) << logged();
}

INSTANTIATE_TEST_SUITE_P(LegEnds, SlowClient, testing::ValuesIn(rows()), name_of);

// Azure's C sample ends every stream so whose service ends first; behind a hub that is a 1011.
struct ForeignDevice : SlowClient {};

TEST_P(ForeignDevice, EndsWithoutAWarning) {
    start();
    auto client = connect();
    client.send("go");
    expect_all_then_reset(client, down);
    EXPECT_TRUE(test::eventually([&] { return lines->contains("stream ended"); }));
    EXPECT_EQ(lines->contains("info stream ended"), !GetParam().half_close) << logged();
}

INSTANTIATE_TEST_SUITE_P(OtherLegLost, ForeignDevice, testing::Values(Row{leg_ends[4], false}, Row{leg_ends[4], true}),
                         name_of);

using SlowService = device::DeviceProxyTest;

TEST_F(SlowService, GetsAllThatCameBeforeTheServicesLegWasLost) {
    start_proxy();
    const auto up = test::pattern(1'000'000, 5);
    auto [stream, local] = open();
    stream.send(up);
    { const auto lost = std::move(stream); }
    expect_all_then_reset(local, up);
}

TEST_F(SlowService, GetsAllThatCameBeforeTheHubStopped) {
    start_proxy();
    const auto up = test::pattern(1'000'000, 5);
    auto [stream, local] = open();
    stream.send(up);
    std::this_thread::sleep_for(200ms);  // until all has come to device-proxy
    (*hub)->cancel();
    expect_all_then_reset(local, up);
}

}  // namespace
}  // namespace device_streams
