#include "common/device_client/leg_opener.hpp"

#include "common/base/error.hpp"
#include "common/ws/handshake.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/memory_stream.hpp"

#include <gtest/gtest.h>

namespace device_streams::device {
namespace {

using namespace std::chrono_literals;

/// Legs over connections in memory, with the hub's end in the hands of the test.
class LegOpenerTest : public testing::Test {
 protected:
    static iothub::StreamRequest request(std::string features) {
        return {"ssh.1a2b3c4d", "1", "wss://hub.example:443/bridges/x", Secret("stream-token"), std::move(features)};
    }
    DialledLeg dialled(std::string features = "") {
        auto [near, far] = test::make_memory_streams(io.get_executor());
        hub_end = std::make_unique<http::Connection>(std::move(far));
        auto from = std::make_shared<WarmConnections>(io.get_executor(), HubAccess(), Endpoint(), WarmLimits(), clock,
                                                      Log(log));
        return {request(std::move(features)),
                HubAccess(),
                std::move(from),
                {std::make_unique<http::Connection>(std::move(near)), true}};
    }
    void open(std::string features = "") {
        opening.emplace(io, opener.open(dialled(std::move(features))));
        asked = test::run(io, hub_end->read_request());
    }
    void answer(http::Response response) {
        test::run(io, hub_end->write_response(std::move(response)));
        test::poll(io);
    }
    static http::Response with_status(int status) {
        http::Response response;
        response.status = status;
        return response;
    }
    std::string failure() {
        try {
            opening.value().get();
        } catch (const Failure& failure) {
            return explain(failure);
        }
        return "(none)";
    }

    using Leg = std::unique_ptr<ByteStream>;
    asio::io_context io{1};
    test::ManualClock clock;
    std::shared_ptr<test::CapturedLog> log = std::make_shared<test::CapturedLog>();
    LegOpener opener{io.get_executor(), clock, Log(log)};
    std::unique_ptr<http::Connection> hub_end;
    http::Request asked;
    std::optional<test::Running<Leg>> opening;
};

TEST_F(LegOpenerTest, MakesTheConnectionTheLegThatTheRequestNames) {
    open();
    EXPECT_EQ(asked.target, "/bridges/x");
    EXPECT_EQ(asked.headers.find("Host"), "hub.example:443");
    EXPECT_EQ(asked.headers.find("Authorization"), "Bearer stream-token");
    answer(ws::answer_upgrade(asked, ""));
    ASSERT_TRUE(opening->done());
    EXPECT_FALSE(opening->get()->half_close()) << "a foreign hub names no features";
}

TEST_F(LegOpenerTest, LegHasTheFeaturesThatTheHubNames) {
    open("half-close");
    answer(ws::answer_upgrade(asked, ""));
    ASSERT_TRUE(opening->done());
    EXPECT_TRUE(opening->get()->half_close());
}

TEST_F(LegOpenerTest, LegThatTheHubDoesNotKnowAnyMoreIsAStreamThatIsOver) {
    open();
    answer(with_status(404));
    ASSERT_TRUE(opening->done());
    EXPECT_NE(failure().find("DS-210"), std::string::npos) << failure();
    EXPECT_NE(failure().find("the stream is over"), std::string::npos) << failure();
}

TEST_F(LegOpenerTest, OtherRefusalsAreToldAsTheyCame) {
    open();
    answer(with_status(403));
    ASSERT_TRUE(opening->done());
    EXPECT_NE(failure().find("DS-210"), std::string::npos) << failure();
    EXPECT_NE(failure().find("HTTP 403 Forbidden"), std::string::npos) << failure();
}

TEST_F(LegOpenerTest, HubThatDoesNotAnswerIsGivenUp) {
    open();
    clock.advance(HubAccess().timeout);
    test::poll(io);
    ASSERT_TRUE(opening->done());
    EXPECT_NE(failure().find("DS-205"), std::string::npos) << failure();
}

TEST_F(LegOpenerTest, DialsNothingWithoutAUrlOfAStream) {
    auto strange = request("");
    strange.url = "https://hub.example/bridges/x";
    test::Running<DialledLeg> dialling(io, opener.dial(HubAccess(), strange));
    test::poll(io);
    ASSERT_TRUE(dialling.done());
    EXPECT_THROW(dialling.get(), Failure);
}

}  // namespace
}  // namespace device_streams::device
