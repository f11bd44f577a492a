#include "device-proxy/stream_acceptor.hpp"

#include "tests/support/captured_log.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/memory_stream.hpp"

#include <asio/error.hpp>
#include <gtest/gtest.h>

namespace device_streams::device {
namespace {

using namespace std::chrono_literals;
using namespace device_streams::test;

/// Legs that end in memory.
class MemoryLegs final : public LegOpener {
 public:
    using LegOpener::LegOpener;
    std::function<asio::awaitable<DialledLeg>()> dialling;
    std::function<asio::awaitable<std::unique_ptr<ByteStream>>()> opening;
    asio::awaitable<DialledLeg> dial(HubAccess, iothub::StreamRequest) override { return dialling(); }
    asio::awaitable<std::unique_ptr<ByteStream>> open(DialledLeg) override { return opening(); }
};

/// An acceptor whose local services and hub legs are in memory.
class StreamAcceptorTest : public testing::Test {
 protected:
    ~StreamAcceptorTest() override {
        acceptor.cancel();
        poll(io);
    }

    static StreamSettings settings() {
        StreamSettings made;
        made.services = ServiceMap({{"ssh", {Endpoint{.host = "localhost", .port = 22, .path = {}}}}}, std::nullopt);
        return made;
    }
    static iothub::StreamRequest request(std::string name = "ssh.1a2b3c4d", std::string id = "1") {
        return {std::move(name), std::move(id), "wss://hub.example:443/bridges/secret-path", Secret("secret-token"),
                ""};
    }
    std::unique_ptr<LegOpener> legs() {
        auto made = std::make_unique<MemoryLegs>(io.get_executor(), clock, Log(log));
        made->dialling = [this] { return dial_leg(); };
        made->opening = [this] { return open_leg(); };
        return made;
    }
    void take(iothub::StreamRequest asked) {
        acceptor.take(std::move(asked));
        poll(io);
    }
    void pass(Clock::duration time) {
        clock.advance(time);
        poll(io);
    }
    std::string service_received(std::size_t which = 0) { return received(*services.at(which)); }
    std::string hub_received(std::size_t which = 0) { return received(*hub_ends.at(which)); }

    asio::io_context io{1};
    ManualClock clock;
    std::shared_ptr<CapturedLog> log = std::make_shared<CapturedLog>();
    std::vector<std::string> answers;
    std::vector<Endpoint> dialled;
    std::vector<std::unique_ptr<MemoryStream>> services, hub_ends;
    std::optional<std::error_code> local_error;
    bool black_hole = false;
    std::optional<Errc> leg_error, dial_error;
    bool hub_is_far = false;
    int legs_dialled = 0;
    StreamAcceptor acceptor{io.get_executor(),
                            clock,
                            Log(log),
                            settings(),
                            [this](const iothub::StreamRequest& asked, std::optional<Errc> refusal) {
                                const auto id = refusal ? describe(*refusal).id : "accepted";
                                answers.push_back(asked.request_id + ":" + std::string(id));
                                if (!refusal) {
                                    EXPECT_FALSE(services.empty()) << "accepted before the service was there";
                                    EXPECT_EQ(hub_ends.size() + 1, services.size()) << "the leg came first";
                                }
                            },
                            legs(),
                            [this](Endpoint endpoint, Clock&) { return connect(std::move(endpoint)); }};

 private:
    asio::awaitable<std::unique_ptr<ByteStream>> connect(Endpoint endpoint) {
        dialled.push_back(endpoint);
        if (black_hole) co_await clock.sleep_for(1000h);
        if (local_error) throw std::system_error(*local_error);
        auto [local, service] = make_memory_streams(io.get_executor());
        services.push_back(std::move(service));
        co_return std::move(local);
    }
    asio::awaitable<DialledLeg> dial_leg() {
        ++legs_dialled;
        if (hub_is_far) co_await clock.sleep_for(1s);
        if (dial_error) throw Failure(*dial_error, "connecting to hub.example:443");
        co_return DialledLeg();
    }
    asio::awaitable<std::unique_ptr<ByteStream>> open_leg() {
        if (leg_error) throw Failure(*leg_error, "HTTP 404 Not Found");
        auto [leg, hub_end] = make_memory_streams(io.get_executor());
        hub_ends.push_back(std::move(hub_end));
        co_return std::move(leg);
    }
    static std::string received(MemoryStream& stream) {
        std::array<std::byte, 256> chunk;
        const auto size = stream.try_read(chunk);
        return size ? text_of(std::span(chunk).first(*size)) : "(nothing)";
    }
};

TEST_F(StreamAcceptorTest, KeepsANarrowedServiceToItsPolicies) {
    auto narrowed = settings();
    narrowed.services =
        ServiceMap({{"ssh", {Endpoint{.host = "localhost", .port = 22, .path = {}}, {}, {"ops"}}}}, std::nullopt);
    acceptor.apply(narrowed);
    auto by_others = request("ssh.1a2b3c4d", "1"), by_nobody = request("ssh.1a2b3c4e", "2"),
         by_ops = request("ssh.1a2b3c4f", "3");
    by_others.policy = "others";
    by_ops.policy = "ops";
    for (auto& asked : {by_others, by_nobody}) take(asked);
    EXPECT_TRUE(dialled.empty());
    EXPECT_TRUE(log->contains("DS-405 the service is not open to this policy: ssh, policy others"));
    EXPECT_TRUE(log->contains("DS-405 the service is not open to this policy: ssh, the hub names no policy"));
    take(by_ops);
    EXPECT_EQ(answers, (std::vector<std::string>{"1:DS-405", "2:DS-405", "3:accepted"}));
    EXPECT_TRUE(log->contains("stream opened stream=1a2b3c4f policy=ops"));
}

TEST_F(StreamAcceptorTest, GivesNoStreamOfAPolicyToTheDefaultService) {
    const Endpoint somewhere{.host = "localhost", .port = 22, .path = {}};
    for (const std::vector<std::string>& allow_from : {std::vector<std::string>(), {"ops"}}) {
        auto with_default = settings();
        with_default.services = ServiceMap({{"ssh", {somewhere, {}, allow_from}}}, "ssh");
        acceptor.apply(with_default);
        auto by_ops = request("web");
        by_ops.policy = "ops";
        take(by_ops);
    }
    EXPECT_TRUE(dialled.empty());
    EXPECT_EQ(answers, (std::vector<std::string>{"1:DS-401", "1:DS-401"}));
    EXPECT_TRUE(log->contains("stream=web policy=ops")) << "so that the owner finds it";
    EXPECT_TRUE(log->contains("DS-401"));
}

TEST_F(StreamAcceptorTest, ConnectsAcceptsAndRelays) {
    take(request());
    ASSERT_EQ(dialled.size(), 1u);
    EXPECT_EQ(dialled[0].to_string(), "localhost:22");
    EXPECT_EQ(answers, std::vector<std::string>{"1:accepted"});
    ASSERT_EQ(hub_ends.size(), 1u);
    services[0]->try_write(bytes_of("SSH-2.0-server"));
    hub_ends[0]->try_write(bytes_of("SSH-2.0-client"));
    poll(io);
    EXPECT_EQ(hub_received(), "SSH-2.0-server");
    EXPECT_EQ(service_received(), "SSH-2.0-client");
}

TEST_F(StreamAcceptorTest, DialsItsLegWhileTheServiceConnects) {
    black_hole = true;
    take(request());
    EXPECT_EQ(legs_dialled, 1);
    EXPECT_TRUE(answers.empty());
}

TEST_F(StreamAcceptorTest, AnswersWithoutWaitingForItsLeg) {
    hub_is_far = true;
    take(request());
    EXPECT_EQ(answers, std::vector<std::string>{"1:accepted"});
    EXPECT_TRUE(hub_ends.empty());
    pass(1s);
    EXPECT_EQ(hub_ends.size(), 1u);
}

TEST_F(StreamAcceptorTest, ALegThatCannotBeDialledEndsTheLocalConnection) {
    dial_error = Errc::hub_unreachable;
    take(request());
    EXPECT_EQ(answers, std::vector<std::string>{"1:accepted"});
    EXPECT_TRUE(log->contains("DS-201"));
    EXPECT_TRUE(services[0]->in().broken);
}

TEST_F(StreamAcceptorTest, RejectsAnUnknownServiceWithoutConnecting) {
    take(request("telnet.1a2b3c4d"));
    EXPECT_EQ(answers, std::vector<std::string>{"1:DS-401"});
    EXPECT_TRUE(dialled.empty());
    EXPECT_EQ(legs_dialled, 0);
    EXPECT_TRUE(log->contains("DS-401"));
    EXPECT_TRUE(log->contains("stream=1a2b3c4d"));
}

TEST_F(StreamAcceptorTest, RejectsAMalformedNameWithoutRepeatingIt) {
    take(request("ssh\x1b[2J"));
    EXPECT_EQ(answers, std::vector<std::string>{"1:DS-401"});
    EXPECT_FALSE(log->contains("[2J"));
}

TEST_F(StreamAcceptorTest, RejectsWhenTheServiceRefuses) {
    local_error = asio::error::connection_refused;
    take(request());
    EXPECT_EQ(answers, std::vector<std::string>{"1:DS-402"});
    EXPECT_TRUE(hub_ends.empty());
    EXPECT_TRUE(log->contains("DS-402"));
    EXPECT_TRUE(log->contains("ssh at localhost:22"));
}

TEST_F(StreamAcceptorTest, KnowsTheSystemsOwnErrorsToo) {
    local_error = asio::error::connection_refused;
    take(request());
    EXPECT_TRUE(log->contains("DS-402"));
    local_error = asio::error::no_descriptors;
    take(request());
    EXPECT_TRUE(log->contains("DS-902"));
}

TEST_F(StreamAcceptorTest, RejectsWhenTheServiceCannotBeReached) {
    local_error = asio::error::network_unreachable;
    take(request());
    EXPECT_EQ(answers, std::vector<std::string>{"1:DS-404"});
    EXPECT_TRUE(log->contains("DS-404"));
}

TEST_F(StreamAcceptorTest, RejectsWithItsOwnWordsWhenDescriptorsRunOut) {
    local_error = asio::error::no_descriptors;
    take(request());
    EXPECT_EQ(answers, std::vector<std::string>{"1:DS-902"});
    EXPECT_TRUE(log->contains("DS-902"));
}

TEST_F(StreamAcceptorTest, RejectsAfterTheLimitWhenTheServiceIsABlackHole) {
    black_hole = true;
    take(request());
    pass(9s);
    EXPECT_TRUE(answers.empty());
    pass(1s);
    EXPECT_EQ(answers, std::vector<std::string>{"1:DS-403"});
    EXPECT_TRUE(log->contains("DS-403"));
    EXPECT_EQ(acceptor.running(), 0u);
}

TEST_F(StreamAcceptorTest, DropsTheServiceWhenTheHubRefusesTheLeg) {
    leg_error = Errc::hub_refused_stream_leg;
    take(request());
    EXPECT_EQ(answers, std::vector<std::string>{"1:accepted"});
    EXPECT_TRUE(log->contains("DS-210"));
    EXPECT_TRUE(log->contains("HTTP 404"));
    EXPECT_TRUE(services[0]->in().broken);
    EXPECT_EQ(acceptor.running(), 0u);
}

TEST_F(StreamAcceptorTest, ServesManyStreamsAtTheSameTime) {
    black_hole = true;
    take(request("ssh.00000001", "1"));
    black_hole = false;
    for (int i = 2; i <= 50; ++i) take(request("ssh.000000" + std::to_string(i + 8), std::to_string(i)));
    EXPECT_EQ(answers.size(), 49u);
    EXPECT_EQ(acceptor.running(), 50u);
}

TEST_F(StreamAcceptorTest, LogsAStreamsStartAndEnd) {
    take(request());
    services[0]->try_write(bytes_of("12345"));
    hub_ends[0]->try_write(bytes_of("123"));
    poll(io);
    clock.advance(1500ms);
    services[0]->out().finished = true;
    services[0]->out().notify();
    hub_ends[0]->out().finished = true;
    hub_ends[0]->out().notify();
    poll(io);
    ASSERT_EQ(log->lines().size(), 2u);
    EXPECT_EQ(log->lines()[0], "info stream opened stream=1a2b3c4d service=ssh to=localhost:22");
    EXPECT_EQ(log->lines()[1],
              "info stream ended stream=1a2b3c4d service=ssh bytes_to_device=3 bytes_to_service=5 duration_ms=1500 "
              "reason=closed by the client");
}

TEST_F(StreamAcceptorTest, NamesTheLegThatFailed) {
    take(request());
    hub_ends[0]->abort(CloseReason::lost);
    poll(io);
    EXPECT_TRUE(log->contains("reason=DS-501"));
    EXPECT_TRUE(log->contains("leg to the hub"));
    take(request());
    services[1]->abort(CloseReason::reset);
    poll(io);
    EXPECT_TRUE(log->contains("local service"));
}

TEST_F(StreamAcceptorTest, AServiceMayHaveStricterLimits) {
    auto changed = settings();
    const Endpoint somewhere{.host = "localhost", .port = 22, .path = {}};
    changed.services = ServiceMap({{"ssh", {somewhere}}, {"rdp", {somewhere, {.max_lifetime = 10s}}}}, std::nullopt);
    changed.relay.stream.max_lifetime = 1h;
    acceptor.apply(changed);
    take(request());
    take(request("rdp.00000003", "3"));
    pass(10s);
    EXPECT_EQ(acceptor.running(), 1u);
    EXPECT_TRUE(log->contains("reason=DS-506 a time limit of the stream was reached: max_lifetime"));
}

TEST_F(StreamAcceptorTest, UsesNewSettingsForNewStreamsOnly) {
    take(request());
    auto changed = settings();
    changed.services = ServiceMap({{"rdp", {Endpoint{.host = "localhost", .port = 3389, .path = {}}}}}, std::nullopt);
    acceptor.apply(changed);
    take(request("ssh.00000002", "2"));
    take(request("rdp.00000003", "3"));
    EXPECT_EQ(answers, (std::vector<std::string>{"1:accepted", "2:DS-401", "3:accepted"}));
    EXPECT_EQ(acceptor.running(), 2u);
}

TEST_F(StreamAcceptorTest, TakesNothingNewWhileStoppingAndLetsStreamsRun) {
    take(request());
    acceptor.stop_taking();
    take(request("ssh.00000002", "2"));
    EXPECT_EQ(answers.size(), 1u);
    hub_ends[0]->try_write(bytes_of("still here"));
    poll(io);
    EXPECT_EQ(service_received(), "still here");
}

TEST_F(StreamAcceptorTest, TellsWhenTheLastRequestHasItsAnswer) {
    bool answered = false;
    black_hole = true;
    take(request());
    acceptor.stop_taking([&] { answered = true; });
    EXPECT_FALSE(answered);
    pass(10s);  // the local service is given up
    EXPECT_EQ(answers, (std::vector<std::string>{"1:DS-403"}));
    EXPECT_TRUE(answered);
}

TEST_F(StreamAcceptorTest, TellsAtOnceWhenNoRequestWaitsForItsAnswer) {
    bool answered = false;
    take(request());
    acceptor.stop_taking([&] { answered = true; });
    EXPECT_TRUE(answered);
}

TEST_F(StreamAcceptorTest, CancelEndsStreamsAndTellsWhy) {
    take(request());
    acceptor.cancel();
    Running<void> done(io, acceptor.until_done());
    poll(io);
    EXPECT_TRUE(done.done());
    EXPECT_TRUE(log->contains("info stream ended"));
    EXPECT_TRUE(log->contains("reason=this program is stopping"));
}

TEST_F(StreamAcceptorTest, CancelEndsAttemptsToConnect) {
    black_hole = true;
    take(request());
    acceptor.cancel();
    poll(io);
    EXPECT_EQ(acceptor.running(), 0u);
    EXPECT_TRUE(answers.empty());
}

TEST_F(StreamAcceptorTest, NeverLogsUrlOrToken) {
    take(request());
    leg_error = Errc::hub_refused_stream_leg;
    take(request());
    acceptor.cancel();
    poll(io);
    EXPECT_GE(log->lines().size(), 3u);
    EXPECT_FALSE(log->contains("secret"));
}

}  // namespace
}  // namespace device_streams::device
