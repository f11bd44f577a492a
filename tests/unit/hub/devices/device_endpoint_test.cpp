#include "hub/devices/device_endpoint.hpp"

#include "common/async/block_on.hpp"
#include "common/iothub/sas_token.hpp"
#include "hub/devices/device_session.hpp"
#include "hub/registry/sqlite_registry.hpp"
#include "hub/streams/local_broker.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/memory_stream.hpp"

#include <gtest/gtest.h>

namespace device_streams::hub {
namespace {

using namespace std::chrono_literals;

// A link as the hub runs it: the login, and what that goes on as.
class RunningLink {
 public:
    RunningLink(const asio::any_io_executor& executor, TaskSet::Beginning login) : tasks_(executor) {
        tasks_.spawn_stoppable(tasks_.make_strand(), [&](const TaskSet::Stop&) { return std::move(login); });
    }
    bool done() const { return tasks_.size() == 0; }
    void cancel() { tasks_.cancel_all(); }

 private:
    TaskSet tasks_;
};

// One link in memory, with time that stands still.
class DeviceEndpointTest : public testing::Test {
 protected:
    DeviceEndpointTest() { key = block_on(registry.add(pump, make_key_pair())).keys()->primary; }
    ~DeviceEndpointTest() override {
        for (auto* running : {&replaced, &link}) {
            if (!*running) continue;
            (*running)->cancel();
            until([&] { return (*running)->done(); });
        }
        test::poll(io);
    }

    void connect(const std::string& peer = "192.0.2.1:5000") {
        auto [near, far] = test::make_memory_streams(io.get_executor());
        hub_side = near.get();
        device_side = std::move(far);
        const ConnectionLimits limits{.connections_per_address = 1, .connections_without_login = 1};
        auto slot = unauthenticated.enter(peer, limits, [](const auto&) {}).slot;
        link = std::make_unique<RunningLink>(io.get_executor(),
                                             log_device_in(hub, std::move(near), {peer}, std::move(*slot)));
        test::poll(io);
    }
    void send(const mqtt::Packet& packet) {
        test::run(io, write_copy(*device_side, mqtt::encode(packet)));
        test::poll(io);
    }
    void send_connect(std::int64_t token_life = 3600) {
        const auto resource = iothub::device_resource("hub1.example", pump.device_id);
        mqtt::Connect packet;
        packet.client_id = pump.device_id;
        packet.user_name = iothub::mqtt_user_name({"hub1.example", pump, "2020-09-30", client_type});
        packet.password = iothub::make_sas_token(resource, key, clock.unix_seconds() + token_life);
        packet.keep_alive = 0;
        send(packet);
    }
    std::optional<mqtt::Packet> received() {
        const auto came = device_side->in().bytes;
        device_side->in().bytes.clear();
        decoder.feed(std::vector<std::byte>(came.begin(), came.end()));
        return decoder.next();
    }
    void log_in(std::int64_t token_life = 3600) {
        connect();
        send_connect(token_life);
        until([&] { return lines->contains("device link up"); });
    }
    // Another link of the same identity; returns once it is up and the replaced one has ended.
    void log_in_again(const std::string& peer) {
        replaced = std::move(link);
        const auto replaced_side = std::move(device_side);
        connect(peer);
        send_connect();
        until([&] { return replaced->done() && lines->contains("device link up device=pump-17 peer=" + peer); });
        last_words = text_of(*replaced_side);
        EXPECT_TRUE(replaced_side->in().broken || replaced_side->in().finished)
            << "whoever comes back does not use it any more";
    }
    static std::string text_of(test::MemoryStream& side) {
        std::string text;
        for (const auto byte : side.in().bytes) text += static_cast<char>(byte);
        return text;
    }
    // The registry has a thread of its own.
    void until(const std::function<bool()>& condition) {
        while (!condition()) {
            io.restart();
            ASSERT_GT(io.run_one_for(20s), 0u);
        }
    }
    void pass(Clock::duration time) {
        clock.advance(time);
        test::poll(io);
    }
    // As pass, with a device that pings.
    void live_for(Clock::duration time) {
        for (; time > 10min; time -= 10min) {
            pass(10min);
            send(mqtt::PingReq{});
        }
        pass(time);
    }

    asio::io_context io{1};
    test::ManualClock clock;
    std::shared_ptr<test::CapturedLog> lines = std::make_shared<test::CapturedLog>();
    Log log{lines, LogLevel::debug};
    SqliteRegistry registry{SqliteRegistry::in_memory, SqliteRegistry::Mode::create_new, clock};
    LegTokens leg_tokens{"hub1", random_signing_key()};
    std::shared_ptr<LocalBroker> broker =
        std::make_shared<LocalBroker>(asio::make_strand(asio::any_io_executor(io.get_executor())),
                                      LocalBroker::Parts{clock, log, {}, {}, {}}, PairingLimits(), PresenceLimits());
    Current<HubLimits> limits{HubLimits()};
    Current<HubNames> names{HubNames{{"hub1.example"}}};
    Current<std::shared_ptr<const TlsContext>> tls{nullptr};
    Current<DeviceAuthorities> authorities{DeviceAuthorities()};
    PeerFaultLog peer_faults{log, clock};
    UnauthenticatedConnections unauthenticated;
    ShutdownSignal stopping;
    ResourceLog resource_log{"hub1", clock, log};
    std::shared_ptr<StreamQuotas> quota = std::make_shared<StreamQuotas>(QuotaSettings{}, clock);
    HubContext hub{
        clock,    log,          registry, *broker,     leg_tokens,  [] { return PublicAddress{"localhost"}; },
        limits,   names,        tls,      authorities, peer_faults, unauthenticated,
        stopping, resource_log, *quota};
    const iothub::Target pump{"pump-17", {}};
    Secret key;
    test::MemoryStream* hub_side = nullptr;
    std::unique_ptr<test::MemoryStream> device_side;
    mqtt::Decoder decoder;
    std::string client_type;
    std::string last_words;  // that a replaced link was sent and has not read
    std::unique_ptr<RunningLink> replaced, link;
};

TEST_F(DeviceEndpointTest, DeliveredRequestHasTheTokenOfItsOwnLegOnly) {
    log_in();
    send(mqtt::Subscribe{1, {{std::string(iothub::request_filter), 0}}});
    while (received()) continue;
    const test::Running<RequestResult> asking(io, broker->request({pump, "ssh.0a1b2c3d", {}, {}, {}}));
    test::poll(io);
    const auto packet = received();
    ASSERT_TRUE(packet && std::holds_alternative<mqtt::Publish>(*packet));
    const auto request = iothub::parse_request_topic(std::get<mqtt::Publish>(*packet).topic);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->name, "ssh.0a1b2c3d");

    const auto url = iothub::parse_stream_url(request->url);
    ASSERT_TRUE(url);
    const auto authorization = "Bearer " + std::string(request->token.reveal());
    const auto leg = leg_tokens.check(url->target, authorization, clock.unix_seconds());
    ASSERT_TRUE(leg);
    EXPECT_EQ(leg->target, pump);
    EXPECT_EQ(leg->role, iothub::StreamRole::device);
    EXPECT_NE(request->url.find(leg->stream_id), std::string::npos);
    EXPECT_FALSE(leg_tokens.check(url->target, authorization, clock.unix_seconds() + 3600)) << "it does not end";
}

TEST_F(DeviceEndpointTest, LinkEndsTenMinutesAfterItsToken) {
    log_in(100);
    pass(699s);
    EXPECT_FALSE(link->done());
    pass(1s);
    EXPECT_TRUE(link->done());
    EXPECT_TRUE(lines->contains("device link down device=pump-17 peer=192.0.2.1:5000 code=DS-601"));
    EXPECT_TRUE(lines->contains("its token or certificate has expired"));
}

TEST_F(DeviceEndpointTest, LinkDoesNotMindWallClocksThatJump) {
    log_in(100);
    clock.set_wall(clock.unix_seconds() + 100'000);
    pass(699s);
    EXPECT_FALSE(link->done());
}

TEST_F(DeviceEndpointTest, LinkOfAnEndlessTokenStays) {
    log_in(std::numeric_limits<std::int64_t>::max() - clock.unix_seconds());
    pass(1000s);
    EXPECT_FALSE(link->done());
}

TEST_F(DeviceEndpointTest, SilentLinkEnds) {
    log_in();
    pass(1767s);
    EXPECT_TRUE(link->done());
    EXPECT_TRUE(lines->contains("nothing was heard"));
}

TEST_F(DeviceEndpointTest, DeviceThatSaidGoodbyeIsOfflineBeforeTheHubAnswers) {
    log_in();
    hub_side->still_delivering = true;
    send(mqtt::Disconnect{});
    EXPECT_FALSE(link->done());
    EXPECT_TRUE(device_side->in().finished && !device_side->in().broken);
    EXPECT_TRUE(test::run(io, broker->online()).empty());
}

// Renewals and second machines.

TEST_F(DeviceEndpointTest, LinkThatItsProcessReplacesEndsAsRenewed) {
    client_type = announce("device-proxy/0.1.0", {device_hop_features, "0123456789abcdef"});
    log_in();
    pass(1s);
    log_in_again("198.51.100.9:5001");
    EXPECT_TRUE(
        lines->contains("info device link down device=pump-17 peer=192.0.2.1:5000 new_peer=198.51.100.9:5001 "
                        "reason=renewed duration_ms=1000"));
    EXPECT_FALSE(lines->contains("DS-606"));
}

TEST_F(DeviceEndpointTest, LinkOfAnotherProcessIsASecondMachine) {
    client_type = announce("device-proxy/0.1.0", {device_hop_features, "0123456789abcdef"});
    log_in();
    client_type = announce("device-proxy/0.1.0", {device_hop_features, "fedcba9876543210"});
    live_for(48min);
    log_in_again("192.0.2.1:5001");
    EXPECT_TRUE(
        lines->contains("warning device link down device=pump-17 peer=192.0.2.1:5000 new_peer=192.0.2.1:5001 "
                        "code=DS-606"));
}

TEST_F(DeviceEndpointTest, LinkThatIsTakenOverIsToldByWhomIfItAnnouncesThatItKnows) {
    const std::string told = "$iothub/streams/takeover/?$by=198.51.100.9";
    client_type = announce("device-proxy/0.1.0", {device_hop_features, "0123456789abcdef"});
    log_in();
    client_type = announce("device-proxy/0.1.0", {device_hop_features, "fedcba9876543210"});
    log_in_again("198.51.100.9:5001");
    EXPECT_NE(last_words.find(told), std::string::npos) << last_words;
    EXPECT_EQ(last_words.find("5001"), std::string::npos) << "the port is nobody's business";
    client_type = announce("device-proxy/0.1.0", {device_hop_features, "fedcba9876543210"});
    log_in_again("198.51.100.10:5002");
    EXPECT_EQ(last_words.find("takeover"), std::string::npos) << "it was renewed";
}

TEST_F(DeviceEndpointTest, ForeignLinkThatIsTakenOverIsSentNothing) {
    client_type = "Azure IoT";
    log_in();
    log_in_again("198.51.100.9:5001");
    EXPECT_TRUE(lines->contains("code=DS-606"));
    EXPECT_EQ(last_words.find("takeover"), std::string::npos) << last_words;
}

TEST_F(DeviceEndpointTest, OlderLinkOfOursThatIsTakenOverIsSentNothing) {
    auto older = device_hop_features;
    older.takeover = false;
    client_type = announce("device-proxy/0.1.0", {older, "0123456789abcdef"});
    log_in();
    client_type = "";
    log_in_again("198.51.100.9:5001");
    EXPECT_TRUE(lines->contains("code=DS-606"));
    EXPECT_EQ(last_words.find("takeover"), std::string::npos) << last_words;
}

TEST_F(DeviceEndpointTest, InstanceCountsOnlyForClientsThatAnnounceRenewals) {
    auto features = device_hop_features;
    features.renewal = false;
    client_type = announce("device-proxy/0.1.0", {features, "0123456789abcdef"});
    log_in();
    log_in_again("192.0.2.1:5001");
    EXPECT_TRUE(lines->contains("code=DS-606"));
}

TEST_F(DeviceEndpointTest, ForeignLinkThatIsReplacedWhenItsTokenIsOldEndsAsRenewed) {
    log_in(3600);
    live_for(2520s);
    log_in_again("192.0.2.1:5001");
    EXPECT_TRUE(lines->contains("reason=renewed duration_ms=2520000"));
    EXPECT_FALSE(lines->contains("DS-606"));
}

TEST_F(DeviceEndpointTest, ForeignLinkThatIsReplacedEarlierIsASecondMachine) {
    log_in(3600);
    live_for(2519s);
    log_in_again("192.0.2.1:5001");
    EXPECT_TRUE(lines->contains("code=DS-606"));
}

// What a login that is too late was waiting for.

TEST_F(DeviceEndpointTest, LoginWithoutConnectIsToldFromTheOthers) {
    connect();
    pass(10s);
    EXPECT_TRUE(lines->contains("code=DS-604 peer=192.0.2.1:5000 reason=no CONNECT came in time"));
}

TEST_F(DeviceEndpointTest, LoginThatWaitsForAnOlderLinkSaysSo) {
    HubLimits short_head;
    short_head.connections.head_timeout = 1s;
    limits.set(short_head);
    const Channel<LinkOrder> older(io.get_executor());
    test::run(io, broker->link_up({pump}, older));
    connect();
    send_connect();
    until([&] { return older.try_next().has_value(); });
    pass(1s);
    EXPECT_TRUE(lines->contains("DS-604 peer=192.0.2.1:5000 reason=the older link")) << lines->lines().back();
}

TEST_F(DeviceEndpointTest, LoginWhoseAnswerIsNotReadSaysSo) {
    connect();
    device_side->in().capacity = 0;
    send_connect();
    until([&] { return !test::run(io, broker->online()).empty(); });
    test::poll(io);
    block_on(registry.find(pump));  // behind the link's own question
    test::poll(io);
    pass(10s);
    EXPECT_TRUE(lines->contains("it does not read the answer to its CONNECT")) << lines->lines().back();
}

}  // namespace
}  // namespace device_streams::hub
